//! The parameters of each method, read as that method's.
#![expect(deprecated, reason = "methods that later revisions took away are served to earlier ones")]

use rmcp::model::{
    CallToolRequest, CancelTaskRequest, CancelledNotification, ClientNotification, ClientRequest,
    CompleteRequest, CustomNotification, CustomRequest, GetMeta as _, GetPromptRequest,
    GetSkillRequest, GetTaskRequest, InitializeRequest, InitializedNotification,
    ListPromptsRequest, ListResourceTemplatesRequest, ListResourcesRequest, ListSkillsRequest,
    ListToolsRequest, NumberOrString, PingRequest, ProgressNotification, ProgressToken,
    ReadResourceDirectoryRequest, ReadResourceRequest, RootsListChangedNotification,
    SetLevelRequest, SubscribeRequest, SubscriptionsListenRequest, UnsubscribeRequest,
    UpdateTaskRequest,
};

use super::{
    Wire,
    fault::{read, whole},
};
use crate::Untyped;

/// The longest progress token, in bytes: it comes back with every progress.
const MAX_PROGRESS_TOKEN: usize = 256;

/// Reads `$text` as the type that belongs to `$method`, or else as `$other`.
macro_rules! by_method {
    ($union:ident, $method:expr, $text:expr, { $($name:literal => $type:ident,)+ } else $other:ident) => {
        match $method {
            $($name => read::<$type>($text).map($union::$type),)+
            _ => read::<$other>($text).map($union::$other),
        }
    };
}

/// The request in `text`, whose envelope names `method`. The error says what is wrong with its
/// parameters. A method that the wire does not have is read as an unknown one.
pub(crate) fn request(wire: Wire, method: &str, text: &[u8]) -> Result<ClientRequest, String> {
    if !wire.has(method) {
        return untyped(text);
    }
    let request = if method == "server/discover" {
        whole(text).map(ClientRequest::DiscoverRequest)
    } else {
        by_method!(ClientRequest, method, text, {
            "initialize" => InitializeRequest,
            "ping" => PingRequest,
            "completion/complete" => CompleteRequest,
            "logging/setLevel" => SetLevelRequest,
            "prompts/get" => GetPromptRequest,
            "prompts/list" => ListPromptsRequest,
            "resources/list" => ListResourcesRequest,
            "resources/templates/list" => ListResourceTemplatesRequest,
            "resources/read" => ReadResourceRequest,
            "resources/subscribe" => SubscribeRequest,
            "resources/unsubscribe" => UnsubscribeRequest,
            "resources/directory/read" => ReadResourceDirectoryRequest,
            "subscriptions/listen" => SubscriptionsListenRequest,
            "tools/call" => CallToolRequest,
            "tools/list" => ListToolsRequest,
            "tasks/get" => GetTaskRequest,
            "tasks/update" => UpdateTaskRequest,
            "tasks/cancel" => CancelTaskRequest,
            "skills/list" => ListSkillsRequest,
            "skills/get" => GetSkillRequest,
        } else CustomRequest)
    }?;
    check_token(&request)?;
    Ok(request)
}

fn check_token(request: &ClientRequest) -> Result<(), String> {
    match request.get_meta().get_progress_token() {
        Some(ProgressToken(NumberOrString::String(text))) if text.len() > MAX_PROGRESS_TOKEN => {
            Err(format!("`progressToken` is longer than {MAX_PROGRESS_TOKEN} bytes"))
        }
        _ => Ok(()),
    }
}

/// The request in `text` as it came, with no type but that of a request.
fn untyped(text: &[u8]) -> Result<ClientRequest, String> {
    read(text).map(ClientRequest::CustomRequest)
}

/// A request as its handler wants it: `typed`, or as it came. What names the version of the other
/// wire is left as it is.
pub(crate) fn handed_over(
    wanted: Untyped,
    version: &str,
    method: &str,
    typed: ClientRequest,
    text: &[u8],
) -> Result<ClientRequest, String> {
    if typed.get_meta().protocol_version().is_none() && wanted(version, method, text) {
        return untyped(text);
    }
    Ok(typed)
}

/// The notification in `text`, whose envelope names `method`.
pub(crate) fn notification(method: &str, text: &[u8]) -> Result<ClientNotification, String> {
    by_method!(ClientNotification, method, text, {
        "notifications/initialized" => InitializedNotification,
        "notifications/cancelled" => CancelledNotification,
        "notifications/progress" => ProgressNotification,
        "notifications/roots/list_changed" => RootsListChangedNotification,
    } else CustomNotification)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_method_is_read_as_its_own() {
        let text = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"progressToken":7}}}"#;
        let Ok(ClientRequest::CallToolRequest(call)) = request(Wire::Stateful, "tools/call", text)
        else {
            panic!("not read as a tool call");
        };
        assert_eq!(call.params.name, "echo");
    }

    #[test]
    fn metadata_is_taken_out_of_the_parameters() {
        for (method, params) in [
            ("tools/call", r#"{"name":"echo","_meta":{"progressToken":7,"a/b":1}}"#),
            ("tools/list", r#"{"_meta":{"progressToken":7,"a/b":1}}"#),
            ("server/discover", r#"{"_meta":{"progressToken":7,"a/b":1}}"#),
        ] {
            let text = format!(r#"{{"method":"{method}","params":{params}}}"#);
            let request = request(Wire::Stateless, method, text.as_bytes()).unwrap();
            assert_eq!(request.get_meta().len(), 2, "{method}");
            let left = serde_json::to_value(&request).unwrap()["params"]["_meta"].clone();
            assert_eq!(left.as_object().map(serde_json::Map::len), Some(2), "{method}");
            match request {
                ClientRequest::CallToolRequest(call) => assert_eq!(call.params.meta, None),
                ClientRequest::ListToolsRequest(list) => {
                    assert_eq!(list.params.unwrap().meta, None);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn wrong_parameters_of_a_known_method_are_named() {
        for (method, text, named) in [
            ("tools/call", r#"{"method":"tools/call"}"#, "params"),
            ("tools/call", r#"{"method":"tools/call","params":{}}"#, "name"),
            ("tools/call", r#"{"method":"tools/call","params":{"name":5}}"#, "integer"),
            ("resources/read", r#"{"method":"resources/read","params":{"url":"x"}}"#, "uri"),
            (
                "logging/setLevel",
                r#"{"method":"logging/setLevel","params":{"level":"loud"}}"#,
                "loud",
            ),
            ("tools/list", r#"{"method":"tools/list","params":{"cursor":1}}"#, "string"),
        ] {
            let error = request(Wire::Stateful, method, text.as_bytes()).unwrap_err();
            assert!(error.contains(named) && !error.contains("line"), "{text}: {error}");
        }
    }

    #[test]
    fn an_unknown_method_is_no_error_here() {
        let text = br#"{"jsonrpc":"2.0","id":1,"method":"no/such","params":{"a":1}}"#;
        assert!(matches!(
            request(Wire::Stateful, "no/such", text),
            Ok(ClientRequest::CustomRequest(_))
        ));
        let subscribe =
            br#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":1}}"#;
        let read = |wire| request(wire, "resources/subscribe", subscribe);
        assert!(matches!(read(Wire::Stateless), Ok(ClientRequest::CustomRequest(_))));
        assert!(read(Wire::Stateful).is_err());
    }
}
