//! What is done for a session, one thing at a time, and how messages are read for it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much of what is in a message is shown, in characters.
const SHOWN: usize = 1_500;
/// The longest name or id.
const NAME: usize = 120;

/// Something that was done for a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// When, in milliseconds since the Unix epoch by the clock of the instance.
    pub(super) at: u64,
    /// Which of the steps of that instance, counted from its start.
    pub(super) number: u64,
    /// The instance.
    pub(super) on: String,
    /// The HTTP request that it was done for; empty for what was done for none.
    pub(super) of: String,
    pub(super) what: What,
    /// A method, an operation of the store, a bell, or the status of a response.
    pub(super) name: String,
    /// Of a message: `request`, `notification`, `result` or `error`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) kind: Option<String>,
    /// The JSON-RPC id of a message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) id: Option<String>,
    /// How large a message is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) bytes: Option<usize>,
    /// Whether a message came through a balancer.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(super) proxied: bool,
    /// What is in a message: of whatever is done for its owner alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) contents: Option<String>,
}

/// What kind of thing a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// The client sent a message.
    Received,
    /// The client was sent a message.
    Sent,
    /// The request was answered with this status.
    Answered,
    /// Something was asked of the store.
    Asked,
    /// Another instance was rung.
    Rang,
    /// A bell was heard.
    Heard,
    /// There was more than could be told.
    Missed,
}

impl Step {
    /// As whoever may not see contents sees it.
    pub(crate) fn without_contents(&self) -> Self {
        Self { contents: None, ..self.clone() }
    }
}

/// What of a message is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) contents: Option<String>,
}

/// The messages of a body: one, or a batch. What is no message is none.
pub(super) fn messages(body: &[u8]) -> Vec<Message> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(batch)) => batch.iter().filter_map(message).collect(),
        Ok(other) => message(&other).into_iter().collect(),
        Err(_) => Vec::new(),
    }
}

/// The messages of an event stream's events.
pub(super) fn events(frame: &[u8]) -> Vec<Message> {
    let text = String::from_utf8_lossy(frame);
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.flat_map(|data| messages(data.as_bytes())).collect()
}

fn message(value: &Value) -> Option<Message> {
    let (method, id) = (value["method"].as_str(), value.get("id"));
    let (kind, name, contents) = match (method, id) {
        (Some(method), Some(_)) => ("request", method, &value["params"]),
        (Some(method), None) => ("notification", method, &value["params"]),
        (None, _) if !value["result"].is_null() => ("result", "result", &value["result"]),
        (None, _) if !value["error"].is_null() => ("error", "error", &value["error"]),
        (None, _) => return None,
    };
    Some(Message {
        kind,
        name: bounded(name, NAME),
        id: id.map(|id| bounded(id.as_str().unwrap_or(&id.to_string()), NAME)),
        contents: (!contents.is_null()).then(|| bounded(&contents.to_string(), SHOWN)),
    })
}

fn bounded(text: &str, most: usize) -> String {
    let mut kept: String = text.chars().take(most).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_for_what_they_are_and_bounded() {
        let read = |body: &str| {
            let read = messages(body.as_bytes()).into_iter();
            read.map(|message| (message.kind, message.name, message.id)).collect::<Vec<_>>()
        };
        let named =
            |kind, name: &str, id: Option<&str>| (kind, name.to_owned(), id.map(str::to_owned));
        assert_eq!(
            read(r#"[{"id":"a","method":"ping"},{"method":"x/y"},{"id":1,"result":{}}]"#),
            [
                named("request", "ping", Some("a")),
                named("notification", "x/y", None),
                named("result", "result", Some("1"))
            ]
        );
        assert_eq!(read(r#"{"id":2,"error":{"code":-1}}"#), [named("error", "error", Some("2"))]);
        for nothing in ["", "{", "3", "{}", r#"{"method":7}"#] {
            assert_eq!(read(nothing), [], "{nothing}");
        }
        let long = format!(r#"{{"method":"m","params":"{}"}}"#, "\u{fc}".repeat(5000));
        let contents = messages(long.as_bytes()).remove(0).contents.unwrap();
        assert_eq!(contents.chars().count(), SHOWN + 1);
        let frame = b"id: 1\ndata: {\"method\":\"a\"}\n\n: x\n\ndata: {\"method\":\"b\"}\n\n";
        let methods: Vec<_> = events(frame).into_iter().map(|message| message.name).collect();
        assert_eq!(methods, ["a", "b"]);
    }
}
