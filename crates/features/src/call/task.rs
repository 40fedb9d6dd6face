//! Asking and telling from within a task.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::model::{GetMeta as _, InputRequest, ServerNotification};
use serde_json::{Value, json};

use crate::{
    error::{CallError, StateError},
    request_state::State,
    tasks::{Answer, Generation, RunningTask, experimental},
    text::bounded,
};

/// The longest note of how a task is getting on, in characters.
const NOTE: usize = 200;

/// A call that has become a task.
pub(crate) struct InTask {
    generation: Generation,
    /// What was answered before it did.
    known: BTreeMap<String, Value>,
    notes: Mutex<BTreeMap<String, String>>,
    task: Arc<dyn RunningTask>,
}

impl InTask {
    pub(crate) fn new(generation: Generation, known: State, task: Arc<dyn RunningTask>) -> Self {
        let State { answers, notes } = known;
        Self { generation, known: answers, notes: Mutex::new(notes), task }
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
    ) -> Result<Answer, CallError> {
        if let Some(answer) = self.known.get(key) {
            return Ok(Answer::Given(answer.clone()));
        }
        let asked = self.task.ask(key, json!(question)).await.map_err(|error| match error {
            StateError::LimitReached => CallError::failed("The question is too large to be kept."),
            error @ (StateError::Gone | StateError::Unavailable) => error.into(),
        });
        asked?.ok_or(CallError::Cancelled)
    }

    /// Says how the work is getting on, to whoever asks about the task.
    pub(super) async fn say(&self, note: &str) {
        if let Err(error) = self.task.note(&bounded(note, NOTE)).await {
            tracing::debug!(event = "task.unnoted", task = self.task.id(), %error,
                "how a task is getting on could not be kept");
        }
    }

    /// Sends a notification of the task to the session it was begun in. With the extension there is
    /// none (2026-07-28, Tasks, Task Progress).
    pub(super) async fn tell(&self, mut notification: ServerNotification) {
        match self.generation {
            Generation::Experimental => {}
            Generation::Extension => return,
        }
        let related = experimental::related(&self.task.id());
        notification.get_meta_mut().insert(experimental::RELATED.to_owned(), related);
        // A session that is gone hears nothing more.
        let _ = self.task.tell(notification).await;
    }
}
