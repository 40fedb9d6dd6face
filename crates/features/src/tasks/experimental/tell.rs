//! What is told of a task.

use std::time::Duration;

use rmcp::{
    ErrorData,
    model::{CallToolResult, JsonObject, MetaObject, ServerResult},
};
use serde_json::{Value, json};

use super::super::{POLL_MS, RunningTask, Task, TaskEnd, tell::millis};
use crate::{error::failed, text::bounded, time::rfc3339, untyped::older};

/// The key in `_meta` that says which task a message belongs to.
pub(crate) const RELATED: &str = "io.modelcontextprotocol/related-task";
/// The key in `_meta` of what a model may be told while the task is worked on.
const IMMEDIATE: &str = "io.modelcontextprotocol/model-immediate-response";
/// The longest message about a task, in characters.
const MESSAGE: usize = 200;

/// The value of [`RELATED`].
pub(crate) fn related(task: &str) -> Value {
    json!({ "taskId": task })
}

/// The answer to the call that a task has come of.
pub(super) fn created(task: &dyn RunningTask, life: Duration) -> Value {
    let (id, began) = (task.id(), rfc3339(task.began_at()));
    let said = format!("The task {id} is being worked on; its result comes later.");
    json!({
        "task": {
            "taskId": id,
            "status": "working",
            "statusMessage": "The task has begun.",
            "createdAt": began,
            "lastUpdatedAt": began,
            "ttl": millis(life),
            "pollInterval": POLL_MS,
        },
        "_meta": { RELATED: related(&id), IMMEDIATE: said },
    })
}

/// A task as its methods show it.
pub(super) fn shown(task: &Task) -> Value {
    let mut shown = json!({
        "taskId": task.id,
        "status": status(task),
        "createdAt": rfc3339(task.created_at),
        "lastUpdatedAt": rfc3339(task.updated_at),
        "ttl": millis(task.life),
        "pollInterval": POLL_MS,
    });
    if let Some(message) = message(task) {
        shown["statusMessage"] = message.into();
    }
    shown
}

/// A call whose result says that it failed has failed here; with the extension it is completed.
pub(super) fn status(task: &Task) -> &'static str {
    match &task.end {
        None if task.questions.is_empty() => "working",
        None => "input_required",
        Some(TaskEnd::Completed(result)) if says_failed(result) => "failed",
        Some(TaskEnd::Completed(_)) => "completed",
        Some(TaskEnd::Failed(_)) => "failed",
        Some(TaskEnd::Cancelled) => "cancelled",
    }
}

fn says_failed(result: &JsonObject) -> bool {
    result.get("isError").is_some_and(|is_error| is_error == true)
}

fn message(task: &Task) -> Option<String> {
    let question = task.questions.values().next();
    let message = match (&task.end, question) {
        (None, None) => task.note.as_deref()?,
        (None, Some(question)) => {
            let asked = question.pointer("/params/message").and_then(Value::as_str);
            asked.unwrap_or("Waits for an answer of the client.")
        }
        (Some(TaskEnd::Completed(result)), _) if says_failed(result) => {
            result.get("content")?.pointer("/0/text")?.as_str()?
        }
        (Some(TaskEnd::Completed(_)), _) => return None,
        (Some(TaskEnd::Failed(error)), _) => &error.message,
        (Some(TaskEnd::Cancelled), _) => "The task was cancelled by request.",
    };
    Some(bounded(message, MESSAGE))
}

/// What the call would have been answered with that is now the task `id`.
pub(super) fn outcome(id: &str, end: TaskEnd) -> Result<Value, ErrorData> {
    let result = match end {
        TaskEnd::Completed(result) => serde_json::from_value(Value::Object(result))
            .map_err(|_| ErrorData::internal_error("the result cannot be shown", None))?,
        TaskEnd::Failed(error) => return Err(error),
        TaskEnd::Cancelled => failed("the call was cancelled"),
    };
    Ok(of_task(id, result))
}

fn of_task(id: &str, mut result: CallToolResult) -> Value {
    let meta = result.meta.get_or_insert_with(MetaObject::default);
    meta.insert(RELATED.to_owned(), related(id));
    older(ServerResult::CallToolResult(result))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn task(end: Option<TaskEnd>) -> Task {
        Task {
            id: "t".to_owned(),
            created_at: 1_700_000_000_000,
            updated_at: 1_700_000_000_007,
            life: Duration::from_secs(60),
            note: Some("Writing...".to_owned()),
            questions: BTreeMap::new(),
            end,
        }
    }

    fn completed(result: Value) -> TaskEnd {
        TaskEnd::Completed(serde_json::from_value(result).unwrap())
    }

    #[test]
    fn each_status_has_its_message() {
        let said = |task: &Task| {
            let shown = shown(task);
            (shown["status"].clone(), shown.get("statusMessage").cloned())
        };
        let mut asking = task(None);
        assert_eq!(said(&asking), (json!("working"), Some(json!("Writing..."))));
        let form = json!({ "method": "elicitation/create", "params": { "message": "Which?" } });
        asking.questions.insert("a".to_owned(), form);
        assert_eq!(said(&asking), (json!("input_required"), Some(json!("Which?"))));

        let done = completed(json!({ "content": [] }));
        assert_eq!(said(&task(Some(done))), (json!("completed"), None));
        let bad = completed(json!({
            "isError": true, "content": [{ "type": "text", "text": "no luck" }],
        }));
        assert_eq!(said(&task(Some(bad))), (json!("failed"), Some(json!("no luck"))));
        let error = TaskEnd::Failed(ErrorData::internal_error("broken", None));
        assert_eq!(said(&task(Some(error))), (json!("failed"), Some(json!("broken"))));
        assert_eq!(said(&task(Some(TaskEnd::Cancelled))).0, "cancelled");
    }

    #[test]
    fn a_task_is_shown_in_the_words_of_its_revision() {
        let shown = shown(&task(None));
        assert_eq!((&shown["ttl"], &shown["pollInterval"]), (&json!(60_000), &json!(1_000)));
        assert_eq!(shown["createdAt"], "2023-11-14T22:13:20.000Z");
        assert_eq!(shown["lastUpdatedAt"], "2023-11-14T22:13:20.007Z");
        assert_eq!(shown.get("_meta"), None);
    }

    #[test]
    fn an_outcome_is_that_of_the_call_and_names_the_task() {
        let result = json!({ "resultType": "complete", "content": [], "structuredContent": [1] });
        let told = outcome("t", completed(result)).unwrap();
        assert_eq!(told["_meta"][RELATED]["taskId"], "t");
        assert_eq!(told.get("resultType"), None);
        assert_eq!(told.get("structuredContent"), None, "only objects, before 2026-07-28");
        let error = ErrorData::internal_error("broken", None);
        assert_eq!(outcome("t", TaskEnd::Failed(error.clone())), Err(error));
        assert_eq!(outcome("t", TaskEnd::Cancelled).unwrap()["isError"], true);
    }
}
