//! What the features need of tasks, supplied by the transport's desk.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use mcp_everything_features::{
    Answer, Caller, RunningTask, StateError, Task, TaskEnd, TaskPage, Tasks,
};
use mcp_everything_store::{
    self as store, Access, Owner, StoreError, TaskId, TaskPlace, Timestamp, oauth::GrantId,
};
use mcp_everything_transport::{
    self as transport, SessionError, SessionHandle, StdioSession, TaskDesk,
};
use rmcp::model::{Extensions, ServerNotification};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Tasks of all instances.
pub(crate) struct FleetTasks(pub(crate) TaskDesk);

#[async_trait]
impl Tasks for FleetTasks {
    async fn begin(
        &self,
        caller: Option<&Caller>,
        extensions: &Extensions,
        life: Duration,
    ) -> Result<Arc<dyn RunningTask>, StateError> {
        let begun = self.0.begin(owner(caller), grant(extensions), life).await;
        let task = begun.map_err(|error| told(&error))?;
        Ok(Arc::new(Worked { task, session: Listener::of(extensions) }))
    }

    async fn find(&self, caller: Option<&Caller>, id: &str) -> Result<Option<Task>, StateError> {
        let Some(id) = known(id) else { return Ok(None) };
        let found = self.0.find(id, &owner(caller)).await.map_err(|error| told(&error))?;
        found.map(|task| shown(id, task)).transpose()
    }

    async fn change(
        &self,
        caller: Option<&Caller>,
        seen: &Task,
    ) -> Result<Option<Task>, StateError> {
        let Some(id) = known(&seen.id) else { return Ok(None) };
        let was = |task: &store::Task| {
            task.end.is_some() == seen.end.is_some()
                && task.updated_at.as_millis() == seen.updated_at
                && task.questions.keys().eq(seen.questions.keys())
        };
        let changed = self.0.change(id, &owner(caller), was).await;
        changed.map_err(|error| told(&error))?.map(|task| shown(id, task)).transpose()
    }

    async fn list(
        &self,
        caller: Option<&Caller>,
        cursor: Option<&str>,
        count: usize,
    ) -> Result<Option<TaskPage>, StateError> {
        let behind = cursor.map(place);
        if behind == Some(None) {
            return Ok(None);
        }
        // One more says whether there are more.
        let listed = self.0.list(&owner(caller), behind.flatten(), count + 1).await;
        let mut listed = listed.map_err(|error| told(&error))?;
        let more = listed.len() > count;
        listed.truncate(count);
        let next = listed.last().filter(|_| more).map(|(place, _)| written(*place));
        let tasks = listed.into_iter().map(|(place, task)| shown(place.id, task));
        Ok(Some(TaskPage { tasks: tasks.collect::<Result<_, _>>()?, next }))
    }

    async fn answer(
        &self,
        caller: Option<&Caller>,
        id: &str,
        answers: BTreeMap<String, Answer>,
    ) -> Result<bool, StateError> {
        let Some(id) = known(id) else { return Ok(false) };
        let answers = answers.into_iter().map(|(key, answer)| (key, bytes(&answer))).collect();
        self.0.answer(id, &owner(caller), answers).await.map_err(|error| told(&error))
    }

    async fn cancel(&self, caller: Option<&Caller>, id: &str) -> Result<bool, StateError> {
        let Some(id) = known(id) else { return Ok(false) };
        self.0.cancel(id, &owner(caller)).await.map_err(|error| told(&error))
    }
}

/// A task that is worked on here.
struct Worked {
    task: transport::RunningTask,
    /// The session it was begun in.
    session: Option<Listener>,
}

/// A session that hears what is said unasked.
enum Listener {
    Stored(SessionHandle),
    Stdio(StdioSession),
}

impl Listener {
    fn of(extensions: &Extensions) -> Option<Self> {
        let stored = extensions.get::<SessionHandle>().cloned().map(Self::Stored);
        stored.or_else(|| extensions.get::<StdioSession>().cloned().map(Self::Stdio))
    }
}

#[async_trait]
impl RunningTask for Worked {
    fn id(&self) -> String {
        self.task.id().to_string()
    }

    fn began_at(&self) -> u64 {
        self.task.began_at().as_millis()
    }

    fn stop(&self) -> &CancellationToken {
        self.task.stop()
    }

    async fn ask(&self, key: &str, question: Value) -> Result<Option<Answer>, StateError> {
        let answer = self.task.ask(key, bytes(&question)).await.map_err(|error| told(&error))?;
        answer.map(|answer| read(&answer)).transpose()
    }

    async fn note(&self, note: &str) -> Result<(), StateError> {
        self.task.note(note).await.map_err(|error| told(&error))
    }

    async fn tell(&self, notification: ServerNotification) -> Result<(), StateError> {
        match &self.session {
            None => Ok(()),
            Some(Listener::Stdio(session)) => {
                session.notify(notification).await;
                Ok(())
            }
            Some(Listener::Stored(session)) => {
                session.notify(notification).await.map_err(|error| match error {
                    SessionError::Gone => StateError::Gone,
                    SessionError::Store(error) => told(&error),
                })
            }
        }
    }

    async fn end(&self, end: TaskEnd) -> Result<(), StateError> {
        let end = match end {
            TaskEnd::Completed(result) => store::TaskEnd::Completed(bytes(&json!(result))),
            TaskEnd::Failed(error) => store::TaskEnd::Failed(bytes(&json!(error))),
            TaskEnd::Cancelled => store::TaskEnd::Cancelled,
        };
        self.task.end(end).await.map(|_| ()).map_err(|error| told(&error))
    }
}

/// The grant that the request's token comes from.
fn grant(extensions: &Extensions) -> GrantId {
    let parts = extensions.get::<http::request::Parts>();
    let access = parts.and_then(|parts| parts.extensions.get::<Access>());
    access.map_or(GrantId::ELSEWHERE, |access| access.grant)
}

/// Where nobody signs in everything is one owner's.
pub(crate) fn owner(caller: Option<&Caller>) -> Owner {
    caller.map_or_else(Owner::anonymous, |caller| Owner {
        user: caller.user.clone(),
        issuer: caller.issuer.clone().unwrap_or_default(),
        client: caller.client_id.clone().unwrap_or_default(),
    })
}

fn known(id: &str) -> Option<TaskId> {
    id.parse().ok()
}

/// A place among the tasks of an owner, as the cursor of a page.
fn written(TaskPlace { gone, id }: TaskPlace) -> String {
    format!("{}.{id}", gone.as_millis())
}

/// The place that a cursor names; none for what this server would not have written.
fn place(cursor: &str) -> Option<TaskPlace> {
    let (gone, id) = cursor.split_once('.')?;
    let place =
        TaskPlace { gone: Timestamp::from_millis(gone.parse().ok()?), id: id.parse().ok()? };
    (written(place) == cursor).then_some(place)
}

fn bytes(value: &impl Serialize) -> Bytes {
    // A value in memory has a JSON form.
    serde_json::to_vec(value).unwrap_or_default().into()
}

fn read<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|error| {
        tracing::error!(event = "store.corrupt", %error, "what is kept of a task cannot be read");
        StateError::Unavailable
    })
}

fn shown(id: TaskId, task: store::Task) -> Result<Task, StateError> {
    let store::Task { created_at, updated_at, life, note, questions, end, instance: _ } = task;
    let questions = questions
        .into_iter()
        .map(|(key, question)| Ok((key, read(&question)?)))
        .collect::<Result<_, StateError>>()?;
    let end = end
        .map(|end| {
            Ok(match end {
                store::TaskEnd::Completed(result) => TaskEnd::Completed(read(&result)?),
                store::TaskEnd::Failed(error) => TaskEnd::Failed(read(&error)?),
                store::TaskEnd::Cancelled => TaskEnd::Cancelled,
            })
        })
        .transpose()?;
    let (created_at, updated_at) = (created_at.as_millis(), updated_at.as_millis());
    Ok(Task { id: id.to_string(), created_at, updated_at, life, note, questions, end })
}

fn told(error: &StoreError) -> StateError {
    match error {
        StoreError::LimitReached { .. } => StateError::LimitReached,
        StoreError::Unavailable { .. } | StoreError::Corrupt { .. } => {
            tracing::warn!(event = "store.unavailable", %error, "a task gave no answer");
            StateError::Unavailable
        }
    }
}
