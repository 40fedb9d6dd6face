//! `taskIds` of `subscriptions/listen`: the tasks of which a client would like to hear (SEP-2663, Task
//! Status Notifications).
//!
//! rmcp does not read them, and they are left out of what is acknowledged: a client that follows
//! tasks asks about them. One that does not follow tasks must be told so.

use rmcp::model::{ClientCapabilities, RequestId};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::http::Refusal;

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(default)]
    notifications: Option<Filter>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default)]
    task_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: ClientCapabilities,
}

/// Refuses a client that names tasks and does not follow them.
pub(crate) fn check_task_ids(
    id: &RequestId,
    method: &str,
    params: Option<&RawValue>,
) -> Result<(), Refusal> {
    let Some(params) = params else { return Ok(()) };
    if method != "subscriptions/listen" || !params.get().contains("\"taskIds\"") {
        return Ok(());
    }
    let Params { notifications, meta } = serde_json::from_str(params.get()).map_err(|_| {
        let reason = "notifications.taskIds: expected a list of strings".to_owned();
        Refusal::InvalidParams { id: Some(id.clone()), reason }
    })?;
    let names_some = notifications.and_then(|filter| filter.task_ids);
    let names_some = names_some.is_some_and(|ids| !ids.is_empty());
    // A request that does not say what its client can do is refused for that.
    let declared = meta.and_then(|meta| serde_json::from_str::<Meta>(meta.get()).ok());
    if names_some && declared.is_some_and(|meta| !meta.capabilities.supports_tasks()) {
        return Err(Refusal::NoTasks { id: id.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rmcp::model::NumberOrString;
    use serde_json::{Value, json};

    use super::*;

    fn check(method: &str, notifications: &Value, capabilities: &Value) -> Result<(), Refusal> {
        let meta = json!({ "io.modelcontextprotocol/clientCapabilities": capabilities });
        let params = json!({ "notifications": notifications, "_meta": meta });
        let params = serde_json::value::to_raw_value(&params).unwrap();
        check_task_ids(&NumberOrString::Number(1), method, Some(&params))
    }

    #[test]
    fn tasks_are_for_clients_that_follow_them() {
        let listen = "subscriptions/listen";
        let (some, follows) = (
            json!({ "taskIds": ["a"] }),
            json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } }),
        );
        assert!(matches!(check(listen, &some, &json!({})), Err(Refusal::NoTasks { .. })));
        assert!(check(listen, &some, &follows).is_ok());
        assert!(check("tools/call", &some, &json!({})).is_ok());
        for none in [json!({ "taskIds": [] }), json!({ "taskIds": null }), json!({})] {
            assert!(check(listen, &none, &json!({})).is_ok(), "{none}");
        }
        for wrong in [json!({ "taskIds": "a" }), json!({ "taskIds": [1] })] {
            let refused = check(listen, &wrong, &follows);
            assert!(matches!(refused, Err(Refusal::InvalidParams { .. })), "{wrong}");
        }
    }
}
