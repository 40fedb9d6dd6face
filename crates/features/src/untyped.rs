//! Requests whose parameters or results say what rmcp's types cannot: all that has to do with the
//! experimental tasks of 2025-11-25.

use rmcp::{
    ErrorData, RoleServer, ServerHandler as _,
    model::{
        CallToolRequestParams, CustomRequest, ErrorCode, InitializeRequestParams, JsonObject,
        PaginatedRequestParams, ProtocolVersion, ServerResult,
    },
    service::RequestContext,
};
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};
use serde_json::{Value, json};

use crate::{everything::Everything, tasks::experimental, text::quoted, wire::Wire};

const INITIALIZE: &str = "initialize";
const LIST_TOOLS: &str = "tools/list";
const CALL_TOOL: &str = "tools/call";

/// Whether [`Everything`] answers a request of a revision with sessions by `on_custom_request`,
/// although rmcp has types for the method. `message` is the request as it came; the version of an
/// `initialize` is the one it asks for.
///
/// A transport that hands such a request over in rmcp's types loses what they have no room for: the
/// experimental tasks of 2025-11-25 are then not offered.
pub fn is_untyped(version: &str, method: &str, message: &[u8]) -> bool {
    let current = version == ProtocolVersion::V_2025_11_25.as_str();
    match method {
        INITIALIZE => true,
        LIST_TOOLS => current,
        CALL_TOOL => current && is_augmented(message),
        _ => false,
    }
}

/// Whether a `tools/call` asks for a task.
fn is_augmented(message: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Message {
        params: Params,
    }
    #[derive(Deserialize)]
    struct Params {
        task: Option<IgnoredAny>,
    }
    // Most calls have nothing of that name and are not read for it. What is escaped may be the name.
    let has_none = str::from_utf8(message)
        .is_ok_and(|text| !text.contains(r#""task""#) && !text.contains(r"\u"));
    !has_none
        && serde_json::from_slice::<Message>(message)
            .is_ok_and(|message| message.params.task.is_some())
}

impl Everything {
    /// Answers a request that rmcp has no types for, or whose types are too narrow.
    pub(crate) async fn answer_untyped(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<Value, ErrorData> {
        let CustomRequest { method, params, .. } = request;
        match &*method {
            INITIALIZE if Wire::of(&context)? == Wire::Stateful => {
                let params: InitializeRequestParams = read(params)?;
                let result = self.initialize(params, context).await?;
                // A version without a handshake becomes the newest that has one.
                let offers = self.shared.tasks.is_some()
                    && result.protocol_version >= ProtocolVersion::V_2025_11_25;
                let mut result = json!(result);
                if offers {
                    result["capabilities"]["tasks"] = experimental::capability();
                }
                Ok(result)
            }
            LIST_TOOLS => {
                let params: Option<PaginatedRequestParams> = read(params)?;
                let with_tasks = self.experimental(&context).is_some();
                let result = self.list_tools(params, context).await?;
                let mut result = older(ServerResult::ListToolsResult(result));
                if with_tasks {
                    self.say_support(&mut result);
                }
                Ok(result)
            }
            CALL_TOOL if self.experimental(&context).is_some() => {
                let augmentation: experimental::Augmentation = read(params.clone())?;
                self.begin_experimental_task(read(params)?, augmentation, &context).await
            }
            // What declares no tasks takes no notice of them.
            CALL_TOOL => {
                let params: CallToolRequestParams = read(params)?;
                Ok(older(self.call_tool(params, context).await?.into()))
            }
            _ => match self.experimental(&context) {
                Some(keeper) => experimental::answer(self, keeper, &method, params, &context).await,
                None => Err(unknown_method(&method)),
            },
        }
    }

    /// Says of each tool of a page whether it runs as a task.
    fn say_support(&self, page: &mut Value) {
        let tools = page.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten();
        for tool in tools {
            let support = tool["name"].as_str().map(|name| self.shared.tools.task_support(name));
            tool["execution"] = json!({ "taskSupport": support.unwrap_or_default().as_str() });
        }
    }
}

/// A result as the revisions before 2026-07-28 have it.
pub(crate) fn older(mut result: ServerResult) -> Value {
    result.strip_result_type_for_legacy_peer();
    result.strip_non_object_output_for_legacy_peer();
    json!(result)
}

/// The parameters of a request, read as those of its method.
pub(crate) fn read<T: DeserializeOwned>(params: Option<Value>) -> Result<T, ErrorData> {
    let params = params.unwrap_or_else(|| Value::Object(JsonObject::new()));
    serde_json::from_value(params)
        .map_err(|error| ErrorData::invalid_params(quoted(&error.to_string()), None))
}

pub(crate) fn unknown_method(method: &str) -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_asks_for_a_task_of_its_revision_is_untyped() {
        let call = |params: &str| format!(r#"{{"method":"tools/call","params":{params}}}"#);
        let plain = call(r#"{"name":"echo","arguments":{"task":{}}}"#);
        let augmented = call(r#"{"name":"echo","task":{"ttl":1}}"#);
        let escaped = call(r#"{"name":"echo","t\u0061sk":{"ttl":1}}"#);
        for (version, method, message, expected) in [
            ("2025-11-25", "tools/call", &*augmented, true),
            ("2025-11-25", "tools/call", &call(r#"{"name":"echo","task":null}"#), false),
            ("2025-11-25", "tools/call", &plain, false),
            ("2025-11-25", "tools/call", &escaped, true),
            ("2025-06-18", "tools/call", &augmented, false),
            ("2025-11-25", "tools/list", "{}", true),
            ("2025-06-18", "tools/list", "{}", false),
            ("2025-06-18", "initialize", "{}", true),
            ("2025-11-25", "prompts/list", "{}", false),
        ] {
            let untyped = is_untyped(version, method, message.as_bytes());
            assert_eq!(untyped, expected, "{version} {method} {message}");
        }
    }
}
