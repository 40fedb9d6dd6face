//! What every JSON-RPC message has: `jsonrpc`, `id`, `method`.

use std::borrow::Cow;

use rmcp::model::RequestId;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::http::Refusal;

/// The outside of a message, borrowed from its text.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: Kind<'a>,
    pub(crate) params: Option<&'a RawValue>,
}

/// What a message is.
#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Request { id: RequestId, method: Cow<'a, str> },
    Notification { method: Cow<'a, str> },
    Response { id: RequestId },
    Error { id: Option<RequestId> },
}

/// The longest text a request may have as its id, in bytes: ids come back in answers and events.
const MAX_ID: usize = 1024;

/// The longest name of a method, in bytes: an unknown one comes back in the error.
const MAX_METHOD: usize = 256;

/// A text that is no JSON-RPC 2.0 message.
#[derive(Debug)]
pub(crate) enum Malformed {
    /// It is not JSON.
    Syntax(String),
    /// It is JSON, and no message of this protocol.
    Shape { id: Option<RequestId>, reason: String },
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Syntax(reason) => Self::ParseError { reason },
            Malformed::Shape { id, reason } => Self::InvalidRequest { id, reason },
        }
    }
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Keeps `null` apart from a missing member.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Envelope<'a> {
    /// Reads the outside of one message. A batch is not one.
    pub(crate) fn read(text: &'a [u8]) -> Result<Self, Malformed> {
        let is_object = text.trim_ascii_start().starts_with(b"{");
        match serde_json::from_slice::<Fields<'a>>(text) {
            Ok(fields) if is_object => fields.into_envelope(),
            Err(error) if !error.is_data() => Err(Malformed::Syntax(bounded(&error.to_string()))),
            Err(error) if is_object => Err(shape(None, &bounded(&error.to_string()))),
            // A list of the right length is read as a struct, too.
            Ok(_) | Err(_) => Err(shape(None, "a message is a JSON object")),
        }
    }

    /// Whether a text is a request, which wants an answer.
    pub(crate) fn is_request(text: &[u8]) -> bool {
        Envelope::read(text).is_ok_and(|envelope| matches!(envelope.kind, Kind::Request { .. }))
    }
}

impl<'a> Fields<'a> {
    fn into_envelope(self) -> Result<Envelope<'a>, Malformed> {
        let id = match self.id.map(|id| serde_json::from_str::<RequestId>(id.get())) {
            None => None,
            Some(Ok(RequestId::String(id))) if id.len() > MAX_ID => {
                return Err(shape(None, "`id` is longer than 1024 bytes"));
            }
            Some(Ok(id)) => Some(id),
            Some(Err(_)) if self.error.is_some() => None,
            Some(Err(_)) => {
                return Err(shape(None, "`id` must be a string or an integer, never null"));
            }
        };
        if self.jsonrpc.map(RawValue::get) != Some(r#""2.0""#) {
            return Err(shape(id, "`jsonrpc` must be \"2.0\""));
        }
        let params = match self.params {
            Some(params) if !params.get().starts_with('{') => {
                return Err(shape(id, "`params` must be an object"));
            }
            params => params,
        };
        let kind = match (self.method, id, self.result, self.error) {
            (Some(method), id, None, None) => {
                let Ok(method) = serde_json::from_str::<Cow<'a, str>>(method.get()) else {
                    return Err(shape(id, "`method` must be a string"));
                };
                if method.len() > MAX_METHOD {
                    return Err(shape(id, "`method` is longer than 256 bytes"));
                }
                match id {
                    Some(id) => Kind::Request { id, method },
                    None => Kind::Notification { method },
                }
            }
            (None, Some(id), Some(_), None) => Kind::Response { id },
            (None, id, None, Some(_)) => Kind::Error { id },
            (_, id, ..) => {
                let reason =
                    "a message has either `method`, or `id` and one of `result` and `error`";
                return Err(shape(id, reason));
            }
        };
        Ok(Envelope { kind, params })
    }
}

fn shape(id: Option<RequestId>, reason: &str) -> Malformed {
    Malformed::Shape { id, reason: reason.to_owned() }
}

/// What a parser says of a client's text, made fit to be sent back: it may quote the text.
pub(crate) fn bounded(reason: &str) -> String {
    const LONGEST: usize = 200;
    let clean = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut text: String = clean.take(LONGEST).collect();
    if text.len() < reason.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_from_its_members() {
        let kind = |text: &'static str| Envelope::read(text.as_bytes()).unwrap().kind;
        assert!(matches!(
            kind(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#),
            Kind::Request { id: RequestId::Number(1), method } if method == "ping"
        ));
        assert!(matches!(
            kind(r#"{"jsonrpc":"2.0","method":"notifications\/initialized","params":{}}"#),
            Kind::Notification { method } if method == "notifications/initialized"
        ));
        assert!(matches!(kind(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#), Kind::Response { .. }));
        assert!(matches!(
            kind(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#),
            Kind::Error { id: None }
        ));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long_id = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "x".repeat(1025));
        let long_method = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "x".repeat(257));
        for (text, named) in [
            (r#"{"id":1,"method":"ping"}"#, "jsonrpc"),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "jsonrpc"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "id"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, "id"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "id"),
            (r#"{"jsonrpc":"2.0","id":1,"method":2}"#, "method"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "method"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "params"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, "result"),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, "duplicate"),
            (&long_id, "1024"),
            (&long_method, "256"),
            (r#"["2.0",1,"ping"]"#, "object"),
            (r#"["2.0",1,"ping",{},null,null]"#, "object"),
            ("7", "object"),
            ("\"text\"", "object"),
        ] {
            let Err(Malformed::Shape { reason, .. }) = Envelope::read(text.as_bytes()) else {
                panic!("{text} is no message, but was read");
            };
            assert!(reason.contains(named), "{text}: {reason}");
        }
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for text in ["", "{", "nonsense", "{\"jsonrpc\":\"2.0\",}", "{} {}"] {
            let read = Envelope::read(text.as_bytes());
            assert!(matches!(read, Err(Malformed::Syntax(_))), "{text}: {read:?}");
        }
        assert!(matches!(Envelope::read(b"\xff\xfe"), Err(Malformed::Syntax(_))));
    }

    #[test]
    fn reasons_are_bounded_and_printable() {
        let reason = bounded(&"\n\u{1b}[31m".repeat(100));
        assert!(reason.chars().count() <= 201 && !reason.chars().any(char::is_control));
    }
}
