//! URI templates (RFC 6570) that URIs are matched against.
//!
//! Of the expressions there are these: `{name}`, one segment of a path or a part of one, and at the
//! end `{?name,other}`, a query of which each part may be missing. A value is what the URI says
//! after its percent-encoding is undone; a value that the expansion of the template could not have
//! produced does not match.

/// The values of a template's variables in one URI.
pub(crate) struct Values<'t>(Vec<(&'t str, String)>);

impl Values<'_> {
    /// The value of the variable `name`. Each in a path has one, those of a query may have none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// A parsed template.
pub(crate) struct UriTemplate {
    path: Vec<Part>,
    query: Vec<String>,
}

enum Part {
    Literal(String),
    Variable(String),
}

impl UriTemplate {
    /// Reads a template, or says why it cannot be one.
    pub(crate) fn parse(template: &str) -> Result<Self, &'static str> {
        let (mut path, mut query, mut rest) = (Vec::new(), Vec::new(), template);
        while let Some((literal, after)) = rest.split_once('{') {
            let (expression, after) = after.split_once('}').ok_or("a brace is not closed")?;
            if !literal.is_empty() {
                path.push(Part::Literal(literal.to_owned()));
            } else if matches!(path.last(), Some(Part::Variable(_))) && !expression.starts_with('?')
            {
                return Err("nothing stands between two variables");
            }
            match expression.strip_prefix('?') {
                Some(names) if after.is_empty() => {
                    query = names.split(',').map(str::to_owned).collect();
                }
                Some(_) => return Err("a query is not at the end"),
                None => path.push(Part::Variable(expression.to_owned())),
            }
            rest = after;
        }
        if !rest.is_empty() {
            path.push(Part::Literal(rest.to_owned()));
        }
        let parsed = Self { path, query };
        if parsed.variables().all(is_name) { Ok(parsed) } else { Err("a variable has no name") }
    }

    /// The names of its variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        let path = self.path.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        });
        path.chain(self.query.iter().map(String::as_str))
    }

    /// The values of the variables, if `uri` is of this form.
    pub(crate) fn matches(&self, uri: &str) -> Option<Values<'_>> {
        let (mut rest, query) = match uri.split_once('?') {
            Some((path, query)) if !self.query.is_empty() => (path, Some(query)),
            _ => (uri, None),
        };
        let mut values = Vec::new();
        let mut parts = self.path.iter().peekable();
        while let Some(part) = parts.next() {
            match (part, parts.peek()) {
                (Part::Literal(literal), _) => rest = rest.strip_prefix(literal.as_str())?,
                (Part::Variable(name), Some(Part::Literal(next))) => {
                    let (value, _) = rest.split_once(next.as_str())?;
                    rest = &rest[value.len()..];
                    values.push((name.as_str(), decode(value)?));
                }
                (Part::Variable(name), _) => {
                    values.push((name.as_str(), decode(std::mem::take(&mut rest))?));
                }
            }
        }
        if !rest.is_empty() {
            return None;
        }
        for pair in query.iter().flat_map(|query| query.split('&')) {
            let (name, value) = pair.split_once('=')?;
            let name = self.query.iter().find(|known| *known == name)?;
            if values.iter().any(|(seen, _)| seen == name) {
                return None;
            }
            values.push((name.as_str(), decode(value)?));
        }
        Some(Values(values))
    }
}

/// RFC 6570 section 2.3, without what nobody uses.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Undoes the encoding of a value: unreserved characters stand for themselves, everything else is
/// in percent-encoded UTF-8 (RFC 6570 section 3.2.2). Nothing is no value of a path or query here.
fn decode(value: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(value.len()), value.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'-' | b'.' | b'_' | b'~' => byte,
            _ if byte.is_ascii_alphanumeric() => byte,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn found(template: &str, uri: &str) -> Option<Vec<(String, String)>> {
        let template = UriTemplate::parse(template).unwrap();
        let values = template.matches(uri)?.0;
        Some(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn variables_are_segments_of_the_path() {
        let template = "demo://a/{x}/b/{y}";
        assert_eq!(found(template, "demo://a/1/b/2"), Some(pairs(&[("x", "1"), ("y", "2")])));
        assert_eq!(
            found(template, "demo://a/%C3%A9%2F/b/-._~"),
            Some(pairs(&[("x", "é/"), ("y", "-._~")]))
        );
        for other in [
            "",
            "demo://a/1/b/",
            "demo://a//b/2",
            "demo://a/1/b/2/",
            "demo://a/1/b/2/3",
            "demo://a/1/c/b/2",
            "demo://a/1/b/2?q=1",
            "demo://a/1/b/2#f",
            "demo://a/1/b/é",
            "demo://a/1/b/%",
            "demo://a/1/b/%4",
            "demo://a/1/b/%+1",
            "demo://a/1/b/%ff",
        ] {
            assert_eq!(found(template, other), None, "{other}");
        }
        assert_eq!(found("a/{x}.txt", "a/1.txt"), Some(pairs(&[("x", "1")])));
        assert_eq!(found("a/{x}.txt", "a/1.tx"), None);
    }

    #[test]
    fn parts_of_a_query_may_be_missing_and_come_in_any_order() {
        let template = "demo://a{?x,y}";
        assert_eq!(found(template, "demo://a"), Some(pairs(&[])));
        assert_eq!(found(template, "demo://a?y=2"), Some(pairs(&[("y", "2")])));
        assert_eq!(
            found(template, "demo://a?y=2&x=a%20b"),
            Some(pairs(&[("y", "2"), ("x", "a b")]))
        );
        for other in ["demo://a?", "demo://a?x", "demo://a?x=", "demo://a?z=1", "demo://a?x=1&x=2"]
        {
            assert_eq!(found(template, other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for bad in ["a/{x", "a/{}", "a/{+x}", "a/{x}{y}", "a{?x}/b", "a{?}", "a/{x y}"] {
            assert!(UriTemplate::parse(bad).is_err(), "{bad}");
        }
        let template = UriTemplate::parse("a/{x}/{y_2}{?z}").unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["x", "y_2", "z"]);
    }

    #[test]
    fn any_value_survives_a_uri() {
        let template = UriTemplate::parse("a/{x}").unwrap();
        for value in ["1", "a b", "é/ü", "100%", "?#&=+", "\u{1F600}"] {
            let mut uri = String::from("a/");
            for byte in value.bytes() {
                write!(uri, "%{byte:02X}").unwrap();
            }
            assert_eq!(template.matches(&uri).unwrap().get("x"), Some(value), "{uri}");
        }
    }
}
