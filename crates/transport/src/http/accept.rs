//! Media types of requests.

use http::{HeaderMap, header};

type Kind = (&'static str, &'static str);

const JSON: Kind = ("application", "json");
const EVENT_STREAM: Kind = ("text", "event-stream");

/// Whether a POST says that it takes both kinds of answer, as Streamable HTTP asks of clients
/// ("Sending Messages to the Server"). Wildcards count, and so does a missing header (RFC 9110
/// section 12.5.1): many HTTP libraries send no more.
pub(crate) fn accepts_json_and_event_stream(headers: &HeaderMap) -> bool {
    accepts(headers, [JSON, EVENT_STREAM])
}

/// Whether a GET takes an event stream.
pub(crate) fn accepts_event_stream(headers: &HeaderMap) -> bool {
    accepts(headers, [EVENT_STREAM])
}

/// Whether the body says that it is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| is(JSON, halves(value.as_bytes())))
}

/// Whether each of these is taken.
fn accepts<const N: usize>(headers: &HeaderMap, wanted: [Kind; N]) -> bool {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return true;
    }
    let mut missing = wanted.map(Some);
    // A header that is text is ASCII.
    for value in values.filter_map(|value| value.to_str().ok()) {
        let ranges = value.as_bytes().split(|byte| *byte == b',');
        for range in ranges.filter(|range| !refused(range)) {
            let (kind, subtype) = halves(range);
            for wanted in &mut missing {
                if wanted.is_some_and(|wanted| {
                    is(wanted, (kind, subtype))
                        || subtype == b"*"
                            && (kind == b"*" || kind.eq_ignore_ascii_case(wanted.0.as_bytes()))
                }) {
                    *wanted = None;
                }
            }
        }
    }
    missing.iter().all(Option::is_none)
}

/// Whether a range carries a weight of zero: "not acceptable" (RFC 9110 section 12.4.2).
fn refused(range: &[u8]) -> bool {
    range.split(|byte| *byte == b';').skip(1).any(|parameter| {
        let (name, value) = parted(parameter, b'=');
        let weight = || str::from_utf8(value).ok()?.trim().parse::<f32>().ok();
        name.trim_ascii().eq_ignore_ascii_case(b"q") && weight().is_some_and(|weight| weight <= 0.0)
    })
}

/// Kind and subtype of a media type, without its parameters.
fn halves(media_type: &[u8]) -> (&[u8], &[u8]) {
    let (essence, _) = parted(media_type, b';');
    parted(essence.trim_ascii(), b'/')
}

/// What stands before a byte and behind it.
fn parted(text: &[u8], by: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == by) {
        Some(place) => (&text[..place], &text[place + 1..]),
        None => (text, b""),
    }
}

fn is(wanted: Kind, (kind, subtype): (&[u8], &[u8])) -> bool {
    kind.eq_ignore_ascii_case(wanted.0.as_bytes())
        && subtype.eq_ignore_ascii_case(wanted.1.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn both_kinds_however_they_are_written() {
        for values in [
            &["application/json, text/event-stream"][..],
            &["application/json", "text/event-stream"],
            &["text/event-stream;q=0.5 , APPLICATION/JSON; charset=utf-8"],
            &["*/*"],
            &["application/*, text/*"],
            &[],
        ] {
            assert!(accepts_json_and_event_stream(&accept(values)), "{values:?}");
        }
    }

    #[test]
    fn one_kind_is_not_both() {
        for value in [
            "application/json",
            "text/event-stream",
            "text/html",
            "application/json, text/event-stream;q=0",
            "",
        ] {
            assert!(!accepts_json_and_event_stream(&accept(&[value])), "{value}");
        }
        assert!(accepts_event_stream(&accept(&["text/event-stream"])));
    }

    #[test]
    fn json_bodies_say_so() {
        let content_type = |value: &'static str| {
            HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(value))])
        };
        assert!(is_json(&content_type("application/json")));
        assert!(is_json(&content_type("Application/JSON; charset=utf-8")));
        assert!(!is_json(&content_type("text/plain")));
        assert!(!is_json(&content_type("application/jsonp")));
        assert!(!is_json(&HeaderMap::new()));
    }
}
