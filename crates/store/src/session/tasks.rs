//! Tasks: calls that go on after their request was answered, and are asked about by name
//! (`io.modelcontextprotocol/tasks`, SEP-2663, and the experimental tasks of 2025-11-25).
//!
//! A task belongs to its owner and to no session. It lives for a span that is set when it begins,
//! whatever becomes of it. One instance works on it; questions, answers, a cancellation and the end
//! are kept here, so that any instance can be asked.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{InstanceId, Owner, StoreError, TaskId, Timestamp};

/// A task that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// Its name.
    pub id: TaskId,
    /// Whose it is.
    pub owner: Owner,
    /// Where it runs.
    pub instance: InstanceId,
    /// When it began.
    pub at: Timestamp,
    /// How long it is kept, from now.
    pub life: Duration,
}

/// A task as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Where it runs, or ran.
    pub instance: InstanceId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How long it is kept, from its beginning.
    pub life: Duration,
    /// What its worker last said of how it is getting on.
    pub note: Option<String>,
    /// The questions to its client that are not answered yet, by their keys. None once it has
    /// ended.
    pub questions: BTreeMap<String, Bytes>,
    /// How it ended.
    pub end: Option<TaskEnd>,
}

/// Where a task stands among its owner's: they are in the order in which they will be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskPlace {
    /// When it is gone, by the clock of the store.
    pub gone: Timestamp,
    /// Its name.
    pub id: TaskId,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// With a result.
    Completed(Bytes),
    /// With a JSON-RPC error.
    Failed(Bytes),
    /// Its owner cancelled it.
    Cancelled,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It waits for an answer.
    Waiting,
    /// It was answered before.
    Answered(Bytes),
    /// The task has ended, or is gone: nobody answers any more.
    Ended,
}

/// What whoever works on a task looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskNews {
    /// Every answer its client gave, by the key of the question.
    pub answers: BTreeMap<String, Bytes>,
    /// Whether it has ended, by whatever hand.
    pub ended: bool,
}

/// Tasks.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// Begins a task. Once this returns, any instance knows it.
    async fn begin_task(&self, task: NewTask) -> Result<(), StoreError>;

    /// A task of this owner. `None` for one that is not there, is too old, or is somebody else's.
    async fn task(&self, id: TaskId, owner: &Owner) -> Result<Option<Task>, StoreError>;

    /// The next `count` tasks of this owner behind a place, from the first on where there is none.
    /// Fewer are the last of them.
    async fn tasks_of(
        &self,
        owner: &Owner,
        behind: Option<TaskPlace>,
        count: usize,
    ) -> Result<Vec<(TaskPlace, Task)>, StoreError>;

    /// Notes how a task is getting on, unless it has ended or is gone.
    async fn note_in_task(&self, id: TaskId, note: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Puts a question to the client. A key stands for one question for the whole life of the
    /// task.
    async fn ask_in_task(
        &self,
        id: TaskId,
        key: &str,
        question: Bytes,
        at: Timestamp,
    ) -> Result<Asked, StoreError>;

    /// Answers questions: of those that wait, and only once; the others are left out. Says whom to
    /// ring: the instance that works on the task. `None` as for [`Self::task`].
    async fn answer_task(
        &self,
        id: TaskId,
        owner: &Owner,
        answers: BTreeMap<String, Bytes>,
        at: Timestamp,
    ) -> Result<Option<InstanceId>, StoreError>;

    /// What came for a task. `None` if it is gone.
    async fn task_news(&self, id: TaskId) -> Result<Option<TaskNews>, StoreError>;

    /// Ends a task at its owner's wish, unless it has ended. Says whom to ring. `None` as for
    /// [`Self::task`].
    async fn cancel_task(
        &self,
        id: TaskId,
        owner: &Owner,
        at: Timestamp,
    ) -> Result<Option<InstanceId>, StoreError>;

    /// Ends a task. `false` if it ended otherwise before, or is gone.
    async fn end_task(&self, id: TaskId, end: TaskEnd, at: Timestamp) -> Result<bool, StoreError>;
}
