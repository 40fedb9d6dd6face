//! The ids of events, which clients send back as `Last-Event-ID`.
//!
//! `{call}.{n}[f].{request}` is the n-th event of a call, `f` the final one. The request's own id
//! travels along where it is short, so that a client whose call is lost can be told so by name.
//! `s.{n}` is the n-th event of the standalone stream. An id is looked up inside the session it
//! was sent with and nowhere else, so a forged one finds nothing.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::{CallId, Position};
use rmcp::model::RequestId;

/// The longest request id that travels along, in bytes as it is written.
const LONGEST_REQUEST: usize = 24;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EventId {
    Call { call: CallId, seq: u64, last: bool, request: Option<RequestId> },
    Standalone(Position),
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standalone(position) => write!(f, "s.{}", position.0),
            Self::Call { call, seq, last, request } => {
                write!(f, "{call}.{seq}{}", if *last { "f" } else { "" })?;
                match request {
                    // Short enough, whichever it is.
                    Some(RequestId::Number(number)) => write!(f, ".n{number}"),
                    Some(RequestId::String(text)) => match written(text) {
                        Some(text) => write!(f, ".t{text}"),
                        None => Ok(()),
                    },
                    None => Ok(()),
                }
            }
        }
    }
}

impl EventId {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (stream, rest) = text.split_once('.')?;
        if stream == "s" {
            return number(rest).map(Position).map(Self::Standalone);
        }
        let call = stream.parse().ok()?;
        let (seq, request) = match rest.split_once('.') {
            Some((seq, request)) => (seq, Some(read(request)?)),
            None => (rest, None),
        };
        let (seq, last) = seq.strip_suffix('f').map_or((seq, false), |seq| (seq, true));
        Some(Self::Call { call, seq: number(seq)?, last, request })
    }
}

/// Digits only: the standard parser takes a sign too.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// What of a request's id travels along, if that is a text.
fn written(text: &str) -> Option<String> {
    if text.len() > LONGEST_REQUEST {
        return None;
    }
    let text = URL_SAFE_NO_PAD.encode(text.as_bytes());
    ("t".len() + text.len() <= LONGEST_REQUEST).then_some(text)
}

fn read(text: &str) -> Option<RequestId> {
    if text.len() > LONGEST_REQUEST {
        return None;
    }
    if let Some(number) = text.strip_prefix('n') {
        return number.parse().ok().map(RequestId::Number);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix('t')?).ok()?;
    String::from_utf8(bytes).ok().map(|text| RequestId::String(text.into()))
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::TestRandom;

    use super::*;

    #[test]
    fn ids_read_back() {
        let call = CallId::random(&TestRandom::seeded(3));
        for request in [
            Some(RequestId::Number(-7)),
            Some(RequestId::String("a.b c".into())),
            Some(RequestId::String("".into())),
            None,
        ] {
            for last in [false, true] {
                let id = EventId::Call { call, seq: 12, last, request: request.clone() };
                assert_eq!(EventId::parse(&id.to_string()), Some(id));
            }
        }
        let id = EventId::Standalone(Position(9));
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn ids_stay_short_whatever_a_client_calls_its_requests() {
        let call = CallId::random(&TestRandom::seeded(3));
        let request = Some(RequestId::String("x".repeat(1 << 20).into()));
        let id = EventId::Call { call, seq: u64::MAX, last: true, request };
        assert!(id.to_string().len() <= 64, "{id}");
    }

    #[test]
    fn anything_else_is_no_id() {
        for text in [
            "",
            "0",
            "s.",
            "s.-1",
            "s.+1",
            "AAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAA.",
            "x.1",
            "AAAAAAAAAAAAAAAA.1.z",
        ] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }
}
