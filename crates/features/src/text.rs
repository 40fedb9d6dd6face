//! Outside input made fit for a message.

/// The longest name, address or value that a message repeats, in characters.
pub(crate) const QUOTED: usize = 100;

/// `text` with its control characters escaped, cut to [`QUOTED`] characters.
pub(crate) fn quoted(text: &str) -> String {
    bounded(text, QUOTED)
}

/// `text` with its control characters escaped, cut to `limit` characters.
pub(crate) fn bounded(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit * 4));
    for (index, character) in text.chars().enumerate() {
        if index == limit {
            out.push('…');
            break;
        }
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_kept() {
        assert_eq!(quoted("résumé (final)"), "résumé (final)");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(quoted("a\r\nb\u{1b}[31m"), "a\\r\\nb\\u{1b}[31m");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(bounded("ééééé", 3), "ééé…");
        assert_eq!(bounded("ééé", 3), "ééé");
    }
}
