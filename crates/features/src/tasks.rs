//! Tasks: calls that go on after their request was answered (`io.modelcontextprotocol/tasks`,
//! SEP-2663).
//!
//! Whoever embeds this crate keeps them, see [`Tasks`]; here they are run, and told of.

mod run;
mod tell;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use rmcp::{
    ErrorData,
    model::{Extensions, InputResponses, JsonObject},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    run::begin,
    tell::{detailed, too_large, unknown_task},
};
use crate::{error::StateError, origin::Caller};

/// How long a task is kept, from its beginning.
pub(crate) const LIFE: Duration = Duration::from_secs(600);
/// How often a client should ask about a task, in milliseconds.
pub(crate) const POLL_MS: u64 = 1_000;

/// Keeps tasks. Each belongs to the caller that began it, and nobody else learns that it is there.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// Begins a task that is kept for `life`. When this returns, whoever the caller asks knows it.
    /// What the embedding server knows of the request is in `extensions`.
    async fn begin(
        &self,
        caller: Option<&Caller>,
        extensions: &Extensions,
        life: Duration,
    ) -> Result<Arc<dyn RunningTask>, StateError>;

    /// The caller's task of this name, if there is one.
    async fn find(&self, caller: Option<&Caller>, id: &str) -> Result<Option<Task>, StateError>;

    /// Takes answers to questions of a task, as far as they wait. `false`: there is no such task.
    async fn answer(
        &self,
        caller: Option<&Caller>,
        id: &str,
        answers: InputResponses,
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
    async fn ask(&self, key: &str, question: Value) -> Result<Option<Value>, StateError>;

    /// Ends the task, unless it has ended.
    async fn end(&self, end: TaskEnd) -> Result<(), StateError>;
}

/// A task as it stands.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub id: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// When it last changed, likewise.
    pub updated_at: u64,
    /// How long it is kept, from its beginning.
    pub life: Duration,
    /// The questions that wait for an answer, by their keys.
    pub questions: BTreeMap<String, Value>,
    /// How it ended.
    pub end: Option<TaskEnd>,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub enum TaskEnd {
    /// With the result of the call, be it one that says that the call failed.
    Completed(JsonObject),
    /// With a JSON-RPC error.
    Failed(ErrorData),
    /// The caller cancelled it.
    Cancelled,
}
