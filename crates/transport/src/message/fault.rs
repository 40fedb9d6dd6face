//! What is wrong with a message's parameters, and where.

use rmcp::model::{
    CustomNotification, CustomRequest, Notification, NotificationNoParam, Request, RequestNoParam,
    RequestOptionalParam,
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::envelope::bounded;

/// A message, by the type of its parameters.
pub(super) trait Message: DeserializeOwned {
    type Params: DeserializeOwned;
}

impl<M: DeserializeOwned, P: DeserializeOwned> Message for Request<M, P> {
    type Params = P;
}

impl<M: DeserializeOwned, P: DeserializeOwned> Message for RequestOptionalParam<M, P> {
    type Params = Option<P>;
}

impl<M: DeserializeOwned> Message for RequestNoParam<M> {
    type Params = IgnoredAny;
}

impl<M: DeserializeOwned, P: DeserializeOwned> Message for Notification<M, P> {
    type Params = P;
}

impl<M: DeserializeOwned> Message for NotificationNoParam<M> {
    type Params = IgnoredAny;
}

impl Message for CustomRequest {
    type Params = IgnoredAny;
}

impl Message for CustomNotification {
    type Params = IgnoredAny;
}

/// Reads a message. The error says which of its parameters is wrong, and why.
pub(super) fn read<T: Message>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text)
        .map_err(|error| fault::<T::Params>(text).unwrap_or_else(|| described(&error)))
}

/// What is wrong with the parameters in `text`, read as `P`. rmcp, which reads the message as a
/// whole, cannot say which of them it is.
pub(super) fn fault<P: DeserializeOwned>(text: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(bound = "P: DeserializeOwned")]
    struct Outside<P> {
        #[serde(rename = "params")]
        _params: P,
    }
    let json = &mut serde_json::Deserializer::from_slice(text);
    let error = serde_path_to_error::deserialize::<_, Outside<P>>(json).err()?;
    let reason = described(error.inner());
    Some(match error.path().to_string().strip_prefix("params.") {
        Some(place) => bounded(&format!("{place}: {reason}")),
        None => reason,
    })
}

/// Without the place in the text, as parameters are read from the middle of a message, and without
/// the names of Rust's types.
fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = &text[..text.rfind(" at line ").unwrap_or(text.len())];
    match text.split_once("expected struct ") {
        Some((before, _)) => bounded(&format!("{before}expected an object")),
        None => bounded(text),
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::{CallToolRequest, InitializeRequest};

    use super::*;

    fn refused<T: Message>(text: &str) -> String {
        read::<T>(text.as_bytes()).err().unwrap()
    }

    #[test]
    fn the_parameter_is_named() {
        let call = |params: &str| format!(r#"{{"method":"tools/call","params":{params}}}"#);
        for (params, said) in [
            (r#"{"name":5}"#, "name: invalid type: integer `5`, expected a string"),
            (r#"{"name":"a","arguments":[]}"#, "arguments: invalid type: sequence, expected a map"),
            ("{}", "missing field `name`"),
            (r#"{"name":"a","name":"b"}"#, "duplicate field `name`"),
        ] {
            assert_eq!(refused::<CallToolRequest>(&call(params)), said);
        }
    }

    #[test]
    fn nothing_of_the_inside_is_told() {
        let text = r#"{"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":7,"clientInfo":{"name":"a","version":"1"}}}"#;
        let said = refused::<InitializeRequest>(text);
        assert_eq!(said, "capabilities: invalid type: integer `7`, expected an object");
    }
}
