//! Asking from within a task.

use std::{collections::BTreeMap, sync::Arc};

use rmcp::model::InputRequest;
use serde_json::{Value, json};

use crate::{
    error::{CallError, StateError},
    tasks::RunningTask,
};

/// A call that has become a task.
pub(crate) struct InTask {
    /// What was answered before it did.
    known: BTreeMap<String, Value>,
    task: Arc<dyn RunningTask>,
}

impl InTask {
    pub(crate) fn new(known: BTreeMap<String, Value>, task: Arc<dyn RunningTask>) -> Self {
        Self { known, task }
    }

    /// The client's answer to the question `key`, which is put down if there is none yet.
    pub(super) async fn answer(
        &self,
        key: &str,
        question: InputRequest,
    ) -> Result<Value, CallError> {
        if let Some(answer) = self.known.get(key) {
            return Ok(answer.clone());
        }
        let asked = self.task.ask(key, json!(question)).await.map_err(|error| match error {
            StateError::LimitReached => CallError::failed("The question is too large to be kept."),
            error @ (StateError::Gone | StateError::Unavailable) => error.into(),
        });
        asked?.ok_or(CallError::Cancelled)
    }
}
