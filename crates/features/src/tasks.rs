//! Tasks: calls that go on after their request was answered.
//!
//! There are two generations of them: the experimental ones of 2025-11-25 (SEP-1686), and the
//! extension `io.modelcontextprotocol/tasks` of 2026-07-28 (SEP-2663). They are run alike, and told
//! of differently. Whoever embeds this crate keeps them, see [`Tasks`].

pub(crate) mod experimental;
mod run;
mod tell;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use rmcp::{
    ErrorData,
    model::{Extensions, JsonObject, ServerNotification},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    run::{Terms, begin},
    tell::{detailed, seed, too_large, unknown_task},
};
use crate::{error::StateError, origin::Caller};

/// How long a task is kept at most, from its beginning.
pub(crate) const LIFE: Duration = Duration::from_secs(600);
/// How often a client should ask about a task, in milliseconds.
pub(crate) const POLL_MS: u64 = 1_000;

/// By which rules a task is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// Those of 2025-11-25: what its worker says goes to the session it was begun in.
    Experimental,
    /// Those of the extension: nobody listens but by asking.
    Extension,
}

/// Keeps tasks. Each belongs to the caller that began it, and nobody else learns that it is there.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// Begins a task that is kept for `life`. When this returns, whoever the caller asks knows it.
    /// What the embedding server knows of the request, and of its session, is in `extensions`.
    async fn begin(
        &self,
        caller: Option<&Caller>,
        extensions: &Extensions,
        life: Duration,
    ) -> Result<Arc<dyn RunningTask>, StateError>;

    /// The caller's task of this name, if there is one.
    async fn find(&self, caller: Option<&Caller>, id: &str) -> Result<Option<Task>, StateError>;

    /// Waits until a task is not any more as it was `seen`, and gives it as it is then; `None` as of
    /// [`Self::find`].
    async fn change(
        &self,
        caller: Option<&Caller>,
        seen: &Task,
    ) -> Result<Option<Task>, StateError>;

    /// The next `count` of the caller's tasks behind a cursor, from the first on where there is
    /// none. `None`: it is no cursor of this list.
    async fn list(
        &self,
        caller: Option<&Caller>,
        cursor: Option<&str>,
        count: usize,
    ) -> Result<Option<TaskPage>, StateError>;

    /// Takes answers to questions of a task, as far as they wait. `false`: there is no such task.
    async fn answer(
        &self,
        caller: Option<&Caller>,
        id: &str,
        answers: BTreeMap<String, Answer>,
    ) -> Result<bool, StateError>;

    /// Cancels a task, if it has not ended. `false`: there is no such task.
    async fn cancel(&self, caller: Option<&Caller>, id: &str) -> Result<bool, StateError>;
}

/// A task that is worked on in this process.
#[async_trait]
pub trait RunningTask: Send + Sync + 'static {
    /// Its name.
    fn id(&self) -> String;

    /// When it began, in milliseconds since the Unix epoch.
    fn began_at(&self) -> u64;

    /// Cancelled when the work should stop.
    fn stop(&self) -> &CancellationToken;

    /// Puts a question down and waits for the answer; `None` if the work should stop before that.
    /// Asked again, a key has the same answer.
    async fn ask(&self, key: &str, question: Value) -> Result<Option<Answer>, StateError>;

    /// Notes how the work is getting on.
    async fn note(&self, note: &str) -> Result<(), StateError>;

    /// Sends a notification on the stream of the session that the task was begun in, if there is
    /// one.
    async fn tell(&self, notification: ServerNotification) -> Result<(), StateError>;

    /// Ends the task, unless it has ended.
    async fn end(&self, end: TaskEnd) -> Result<(), StateError>;
}

/// What a client said to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A result.
    Given(Value),
    /// A JSON-RPC error.
    Refused(ErrorData),
}

/// Some of the tasks of a caller.
#[derive(Clone, Debug)]
pub struct TaskPage {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The cursor behind the last of them, if there are more.
    pub next: Option<String>,
}

/// A task as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its name.
    pub id: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// When it last changed, likewise.
    pub updated_at: u64,
    /// How long it is kept, from its beginning.
    pub life: Duration,
    /// What its worker last said of how it is getting on.
    pub note: Option<String>,
    /// The questions that wait for an answer, by their keys.
    pub questions: BTreeMap<String, Value>,
    /// How it ended.
    pub end: Option<TaskEnd>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskEnd {
    /// With the result of the call, be it one that says that the call failed.
    Completed(JsonObject),
    /// With a JSON-RPC error.
    Failed(ErrorData),
    /// The caller cancelled it.
    Cancelled,
}
