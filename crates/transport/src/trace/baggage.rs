//! `baggage` (W3C Baggage, section 3.3).

/// How many members it may have, and how long it may be, in bytes, for everybody to pass it on.
const MEMBERS: usize = 64;
const LONG: usize = 8192;

/// What may be passed on of it: all, or nothing if it is malformed.
pub(super) fn read(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    let fits =
        text.len() <= LONG && text.split(',').count() <= MEMBERS && text.split(',').all(is_member);
    fits.then(|| text.to_owned())
}

fn is_member(member: &str) -> bool {
    let mut parts = member.split(';');
    let is_pair = |pair: &str| {
        pair.split_once('=').is_some_and(|(key, value)| is_token(key) && is_value(value))
    };
    // A property may be a key alone.
    parts.next().is_some_and(is_pair)
        && parts.all(|property| is_token(property) || is_pair(property))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// A `token` of RFC 7230.
fn is_token(text: &str) -> bool {
    let text = trimmed(text);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_value(text: &str) -> bool {
    trimmed(text)
        .bytes()
        .all(|byte| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_passed_on_as_it_is() {
        for text in ["a=1", "a=1,b=2", "a = 1 ; p ; q=2 , b=", "user%20id=Am%C3%A9lie"] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_malformed_is_left_out() {
        let (many, long) = (vec!["a=1"; 65].join(","), format!("a={}", "x".repeat(LONG)));
        for text in ["", "a", "=1", "a=1,", "a b=1", "a=\"1\"", "a=1;", "a=\u{e9}", &many, &long] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
