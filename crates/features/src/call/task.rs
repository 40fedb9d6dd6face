//! Asking from within a task.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::model::InputRequest;
use serde_json::{Value, json};

use crate::{
    error::{CallError, StateError},
    request_state::State,
    tasks::RunningTask,
};

/// A call that has become a task.
pub(crate) struct InTask {
    /// What was answered before it did.
    known: BTreeMap<String, Value>,
    notes: Mutex<BTreeMap<String, String>>,
    task: Arc<dyn RunningTask>,
}

impl InTask {
    pub(crate) fn new(known: State, task: Arc<dyn RunningTask>) -> Self {
        let State { answers, notes } = known;
        Self { known: answers, notes: Mutex::new(notes), task }
    }

    /// What was noted of a question, also before the task began.
    pub(super) fn note(&self, key: &str) -> Option<String> {
        self.notes().get(key).cloned()
    }

    /// Notes something of a question.
    pub(super) fn keep_note(&self, key: &str, note: &str) {
        self.notes().insert(key.to_owned(), note.to_owned());
    }

    fn notes(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
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
