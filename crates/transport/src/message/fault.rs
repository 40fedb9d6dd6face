//! Reading a message's parameters, and saying what is wrong with them and where.

use rmcp::model::{
    CustomNotification, CustomRequest, Extensions, Notification, NotificationNoParam, Request,
    RequestMetaObject, RequestNoParam, RequestOptionalParam, RequestParamsMeta,
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::envelope::bounded;

/// A message, by the type of its parameters.
pub(super) trait Message: Sized {
    type Params: DeserializeOwned;

    fn read(text: &[u8]) -> serde_json::Result<Self>;
}

/// rmcp reads all that it does not know beforehand into a tree, to take `_meta` out of it, and the
/// parameters out of the tree. They have room for it themselves, so it is taken from there.
impl<M: Default, P: DeserializeOwned + RequestParamsMeta> Message for Request<M, P> {
    type Params = P;

    fn read(text: &[u8]) -> serde_json::Result<Self> {
        let Outside::<P> { mut params } = serde_json::from_slice(text)?;
        let extensions = holding(params.meta_mut().take());
        let mut request = Self::new(params);
        request.extensions = extensions;
        Ok(request)
    }
}

impl<M: Default, P: DeserializeOwned + RequestParamsMeta> Message for RequestOptionalParam<M, P> {
    type Params = Option<P>;

    fn read(text: &[u8]) -> serde_json::Result<Self> {
        let Outside::<Option<P>> { mut params } = serde_json::from_slice(text)?;
        let meta = params.as_mut().and_then(|params| params.meta_mut().take());
        Ok(Self { method: M::default(), params, extensions: holding(meta) })
    }
}

/// Handlers find it among the extensions.
fn holding(meta: Option<RequestMetaObject>) -> Extensions {
    let mut extensions = Extensions::new();
    if let Some(meta) = meta {
        extensions.insert(meta);
    }
    extensions
}

/// Messages that are read as rmcp reads them.
macro_rules! as_they_are {
    ($($message:ty => $params:ty, [$($generic:ident),*];)+) => {
        $(impl<$($generic: DeserializeOwned),*> Message for $message {
            type Params = $params;

            fn read(text: &[u8]) -> serde_json::Result<Self> {
                serde_json::from_slice(text)
            }
        })+
    };
}

as_they_are! {
    RequestNoParam<M> => IgnoredAny, [M];
    Notification<M, P> => P, [M, P];
    NotificationNoParam<M> => IgnoredAny, [M];
    CustomRequest => IgnoredAny, [];
    CustomNotification => IgnoredAny, [];
}

/// A message as far as its parameters go. They are an object, as its envelope was read before: of a
/// list a struct would be read as well.
#[derive(Deserialize)]
#[serde(bound = "P: DeserializeOwned")]
struct Outside<P> {
    params: P,
}

/// Reads a message. The error says which of its parameters is wrong, and why.
pub(super) fn read<T: Message>(text: &[u8]) -> Result<T, String> {
    T::read(text).map_err(|error| fault::<T::Params>(text).unwrap_or_else(|| described(&error)))
}

/// Reads a message whose parameters refuse what they do not know, `_meta` among it.
pub(super) fn whole<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| described(&error))
}

/// What is wrong with the parameters in `text`, read as `P`.
fn fault<P: DeserializeOwned>(text: &[u8]) -> Option<String> {
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
