//! What messages of 2025-11-25 look like, as far as tasks are concerned.

use serde_json::{Value, json};

/// That a message is of the shape that the revision gives its type (basic/utilities/tasks, Data
/// Types).
#[track_caller]
pub(super) fn fits(name: &str, value: &Value) {
    let validator = jsonschema::validator_for(&shape(name)).unwrap();
    let faults: Vec<_> = validator.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{name}: {faults:?}: {value}");
}

fn shape(name: &str) -> Value {
    let text = || json!({ "type": "string" });
    match name {
        "GetTaskResult" | "CancelTaskResult" => task(),
        "CreateTaskResult" => object(&json!({ "task": task() })),
        "ListTasksResult" => with(
            object(&json!({ "tasks": { "type": "array", "items": task() } })),
            "nextCursor",
            text(),
        ),
        "TaskStatusNotification" => notification("notifications/tasks/status", &task()),
        "ProgressNotification" => notification(
            "notifications/progress",
            &object(&json!({
                "progressToken": { "type": ["string", "integer"] },
                "progress": { "type": "number" },
            })),
        ),
        "GetTaskRequest" => request("tasks/get", &object(&json!({ "taskId": text() }))),
        "GetTaskPayloadRequest" => request("tasks/result", &object(&json!({ "taskId": text() }))),
        "CancelTaskRequest" => request("tasks/cancel", &object(&json!({ "taskId": text() }))),
        "ElicitRequest" => request(
            "elicitation/create",
            &object(&json!({
                "message": text(),
                "requestedSchema": object(&json!({
                    "type": { "const": "object" },
                    "properties": { "type": "object" },
                })),
            })),
        ),
        "CreateMessageRequest" => request(
            "sampling/createMessage",
            &object(&json!({
                "messages": { "type": "array", "minItems": 1, "items": object(&json!({
                    "role": { "enum": ["user", "assistant"] },
                    "content": { "type": ["object", "array"] },
                })) },
                "maxTokens": { "type": "integer" },
            })),
        ),
        "CallToolResult" | "GetTaskPayloadResult" => {
            let block = object(&json!({
                "type": { "enum": ["text", "image", "audio", "resource_link", "resource"] },
            }));
            let result = object(&json!({ "content": { "type": "array", "items": block } }));
            with(result, "isError", json!({ "type": "boolean" }))
        }
        "InitializeResult" => object(&json!({
            "protocolVersion": text(),
            "capabilities": with(json!({ "type": "object" }), "tasks", json!({ "type": "object" })),
            "serverInfo": object(&json!({ "name": text(), "version": text() })),
        })),
        "ListToolsResult" => {
            let tool = object(&json!({
                "name": text(),
                "inputSchema": object(&json!({ "type": { "const": "object" } })),
            }));
            let support = json!({ "enum": ["forbidden", "optional", "required"] });
            let execution = with(json!({ "type": "object" }), "taskSupport", support);
            let tool = with(tool, "execution", execution);
            object(&json!({ "tools": { "type": "array", "items": tool } }))
        }
        other => panic!("nothing is known of {other}"),
    }
}

fn task() -> Value {
    let time = json!({ "type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$" });
    let task = object(&json!({
        "taskId": { "type": "string", "minLength": 1 },
        "status": { "enum": ["working", "input_required", "completed", "failed", "cancelled"] },
        "createdAt": time,
        "lastUpdatedAt": time,
        "ttl": { "type": ["integer", "null"] },
    }));
    let task = with(task, "pollInterval", json!({ "type": "integer" }));
    with(task, "statusMessage", json!({ "type": "string" }))
}

/// An object that has all of these.
fn object(members: &Value) -> Value {
    let names: Vec<_> = members.as_object().unwrap().keys().cloned().collect();
    json!({ "type": "object", "properties": members, "required": names })
}

/// The same, with one more that it need not have.
fn with(mut object: Value, name: &str, shape: Value) -> Value {
    object["properties"][name] = shape;
    object
}

fn request(method: &str, params: &Value) -> Value {
    object(&json!({
        "jsonrpc": { "const": "2.0" },
        "id": { "type": ["string", "integer"] },
        "method": { "const": method },
        "params": params,
    }))
}

fn notification(method: &str, params: &Value) -> Value {
    object(&json!({
        "jsonrpc": { "const": "2.0" },
        "method": { "const": method },
        "params": params,
    }))
}
