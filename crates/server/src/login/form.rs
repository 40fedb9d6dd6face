//! The one form of a page, as far as a script needs it.

/// A form: where it goes and what it sends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: String,
    pub(super) post: bool,
    /// The inputs and buttons that have names, with their values.
    pub(super) fields: Vec<(String, String)>,
}

impl Form {
    /// Reads the first form of a page, as Enter submits it: with its first submit button.
    pub(super) fn read(html: &str) -> Option<Self> {
        let start = html.find("<form")?;
        let end = html[start..].find("</form>")? + start;
        let mut tags = html[start..end].split('<').filter_map(|tag| tag.split_once('>'));
        let (opening, _) = tags.next()?;
        let method = attribute(opening, "method").unwrap_or_default();
        let mut form = Self {
            action: attribute(opening, "action").unwrap_or_default(),
            post: method.eq_ignore_ascii_case("post"),
            fields: Vec::new(),
        };
        let mut pressed = false;
        for (tag, _) in tags {
            let kind = attribute(tag, "type").unwrap_or_default();
            if tag.starts_with("button") {
                if pressed || !matches!(kind.as_str(), "" | "submit") {
                    continue;
                }
                pressed = true;
            } else if !tag.starts_with("input") {
                continue;
            }
            if let Some(name) = attribute(tag, "name") {
                form.fields.push((name, attribute(tag, "value").unwrap_or_default()));
            }
        }
        Some(form)
    }

    /// Types something into an input that is there.
    pub(super) fn fill(&mut self, name: &str, value: &str) {
        for (field, held) in &mut self.fields {
            if field == name {
                value.clone_into(held);
            }
        }
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.match_indices(name).find_map(|(at, _)| {
        let before = tag[..at].chars().next_back()?;
        let after = tag[at + name.len()..].trim_start().strip_prefix('=')?;
        before.is_whitespace().then_some(after.trim_start())
    })?;
    let value = match at.chars().next()? {
        quote @ ('"' | '\'') => at[1..].split(quote).next()?,
        _ => at.split_whitespace().next()?,
    };
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    let named = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&#60;", "<"),
        ("&gt;", ">"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    named.into_iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_state() {
        let form = Form::read(
            r#"<p><form class="x" method=post action="/a?x=1&amp;y=2">
               <input type="hidden" name="state" value="a&#34;b"><label>Id
               <input id="userId" name='userId'></label><button type=button name=x>Edit</button>
               <button name="decision" value="allow">Allow</button>
               <button name="decision" value="deny">Deny</button><button>No name</button></form>"#,
        );
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = Form {
            action: "/a?x=1&y=2".into(),
            post: true,
            fields: vec![field("state", "a\"b"), field("userId", ""), field("decision", "allow")],
        };
        assert_eq!(form, Some(expected));
        assert_eq!(Form::read("<p>no form</p>"), None);
    }
}
