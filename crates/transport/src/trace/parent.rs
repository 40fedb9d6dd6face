//! `traceparent` (W3C Trace Context, section 3.2).

/// What it says, borrowed from its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parent<'a> {
    pub(super) trace_id: &'a str,
    pub(super) span_id: &'a str,
    pub(super) is_sampled: bool,
}

impl<'a> Parent<'a> {
    /// Reads version 00, and of later ones what they have of it (section 3.2.4, Versioning).
    /// `None`: it is to be ignored.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        const LONG: usize = 55;
        if !text.is_ascii() || text.len() < LONG {
            return None;
        }
        let (known, more) = text.split_at(LONG);
        let mut parts = known.split('-');
        let [version, trace_id, span_id, flags] =
            [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let fits = parts.next().is_none()
            && is_hex(version, 2)
            && is_id(trace_id, 32)
            && is_id(span_id, 16)
            && is_hex(flags, 2);
        let ends = match version {
            "ff" => false,
            "00" => more.is_empty(),
            _ => more.is_empty() || more.starts_with('-'),
        };
        let flags = u8::from_str_radix(flags, 16).ok()?;
        (fits && ends).then_some(Self { trace_id, span_id, is_sampled: flags & 1 == 1 })
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn it_is_read() {
        for (flags, is_sampled) in [("00", false), ("01", true), ("02", false), ("ff", true)] {
            let text = format!("00-{TRACE}-{SPAN}-{flags}");
            let read = Parent { trace_id: TRACE, span_id: SPAN, is_sampled };
            assert_eq!(Parent::read(&text), Some(read));
        }
    }

    #[test]
    fn later_versions_may_have_more() {
        for more in ["", "-", "-and more"] {
            assert!(Parent::read(&format!("cc-{TRACE}-{SPAN}-01{more}")).is_some(), "{more}");
        }
        assert!(Parent::read(&format!("cc-{TRACE}-{SPAN}-01.more")).is_none());
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        let zero = |count: usize| "0".repeat(count);
        for text in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0G"),
            format!("0g-{TRACE}-{SPAN}-01"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", zero(32)),
            format!("00-{TRACE}-{}-01", zero(16)),
            format!("00_{TRACE}_{SPAN}_01"),
            format!("00-{TRACE}-{SPAN}-0\u{e9}"),
            format!(" 00-{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(Parent::read(&text), None, "{text}");
        }
    }
}
