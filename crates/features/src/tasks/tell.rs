//! What is told of a task.

use rmcp::{
    ErrorData,
    model::{self, DetailedTask, JsonObject, TaskPayload, TaskStatus},
};
use serde_json::{Value, json};

use super::{POLL_MS, RunningTask, Task, TaskEnd};
use crate::{error::StateError, time::rfc3339};

pub(super) fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A task that has just begun.
pub(crate) fn seed(task: &dyn RunningTask) -> model::Task {
    let began = rfc3339(task.began_at());
    model::Task::new(task.id(), TaskStatus::Working, began.clone(), began)
        .with_ttl_ms(millis(super::LIFE))
        .with_poll_interval_ms(POLL_MS)
}

/// A task as `tasks/get` shows it.
pub(crate) fn detailed(task: Task) -> Result<DetailedTask, ErrorData> {
    let mut shown = model::Task::new(
        task.id,
        TaskStatus::Working,
        rfc3339(task.created_at),
        rfc3339(task.updated_at),
    )
    .with_ttl_ms(millis(task.life))
    .with_poll_interval_ms(POLL_MS);
    shown.status_message = task.note;
    let payload = match task.end {
        None if task.questions.is_empty() => TaskPayload::Working,
        None => {
            let questions = Value::Object(task.questions.into_iter().collect());
            let input_requests = serde_json::from_value(questions).map_err(|_| damaged())?;
            TaskPayload::InputRequired { input_requests }
        }
        Some(TaskEnd::Completed(result)) => TaskPayload::Completed { result },
        Some(TaskEnd::Failed(error)) => {
            shown = shown.with_status_message(error.message.to_string());
            TaskPayload::Failed { error: object(json!(error))? }
        }
        Some(TaskEnd::Cancelled) => TaskPayload::Cancelled,
    };
    Ok(DetailedTask::new(shown, payload))
}

pub(super) fn object(value: Value) -> Result<JsonObject, ErrorData> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(damaged()),
    }
}

fn damaged() -> ErrorData {
    ErrorData::internal_error("the task cannot be shown", None)
}

/// For what a client sends: its answers.
pub(crate) fn too_large(error: StateError) -> ErrorData {
    match error {
        StateError::LimitReached => {
            ErrorData::invalid_params("an answer is too large to be kept; none was taken", None)
        }
        error @ (StateError::Gone | StateError::Unavailable) => error.into(),
    }
}

/// One answer for what is not there, is too old, and is somebody else's.
pub(crate) fn unknown_task() -> ErrorData {
    ErrorData::invalid_params("Unknown task: it is not yours, or too old", None)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::*;

    fn task(end: Option<TaskEnd>, questions: BTreeMap<String, Value>) -> Value {
        let (created_at, updated_at) = (1_700_000_000_000, 1_700_000_000_007);
        let life = Duration::from_secs(600);
        let id = "t".to_owned();
        let note = Some("Writing...".to_owned());
        json!(detailed(Task { id, created_at, updated_at, life, note, questions, end }).unwrap())
    }

    #[test]
    fn each_state_shows_its_own() {
        let working = task(None, BTreeMap::new());
        assert_eq!(working["createdAt"], "2023-11-14T22:13:20.000Z");
        assert_eq!(working["lastUpdatedAt"], "2023-11-14T22:13:20.007Z");
        assert_eq!((&working["status"], &working["ttlMs"]), (&json!("working"), &json!(600_000)));
        assert_eq!(working["statusMessage"], "Writing...");

        let roots = json!({ "method": "roots/list" });
        let asking = task(None, BTreeMap::from([("roots".to_owned(), roots)]));
        assert_eq!(asking["status"], "input_required");
        assert_eq!(asking["inputRequests"]["roots"]["method"], "roots/list");

        let result = object(json!({ "isError": true, "content": [] })).unwrap();
        let completed = task(Some(TaskEnd::Completed(result)), BTreeMap::new());
        assert_eq!(completed["status"], "completed", "also with a result that says it failed");
        assert_eq!(completed["result"]["isError"], true);

        let error = ErrorData::internal_error("no luck", None);
        let failed = task(Some(TaskEnd::Failed(error)), BTreeMap::new());
        assert_eq!(
            (&failed["status"], &failed["statusMessage"]),
            (&json!("failed"), &json!("no luck"))
        );
        assert_eq!(failed["error"]["code"], -32603);

        assert_eq!(task(Some(TaskEnd::Cancelled), BTreeMap::new())["status"], "cancelled");
    }
}
