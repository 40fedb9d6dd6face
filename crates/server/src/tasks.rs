//! What the features need of tasks, supplied by the transport's desk.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use mcp_everything_features::{Caller, RunningTask, StateError, Task, TaskEnd, Tasks};
use mcp_everything_store::{self as store, Access, Owner, StoreError, TaskId, oauth::GrantId};
use mcp_everything_transport::{self as transport, TaskDesk};
use rmcp::model::Extensions;
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
        Ok(Arc::new(Worked(task)))
    }

    async fn find(&self, caller: Option<&Caller>, id: &str) -> Result<Option<Task>, StateError> {
        let Some(id) = known(id) else { return Ok(None) };
        let found = self.0.find(id, &owner(caller)).await.map_err(|error| told(&error))?;
        found.map(|task| shown(id, task)).transpose()
    }

    async fn answer(
        &self,
        caller: Option<&Caller>,
        id: &str,
        answers: BTreeMap<String, Value>,
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
struct Worked(transport::RunningTask);

#[async_trait]
impl RunningTask for Worked {
    fn id(&self) -> String {
        self.0.id().to_string()
    }

    fn began_at(&self) -> u64 {
        self.0.began_at().as_millis()
    }

    fn stop(&self) -> &CancellationToken {
        self.0.stop()
    }

    async fn ask(&self, key: &str, question: Value) -> Result<Option<Value>, StateError> {
        let answer = self.0.ask(key, bytes(&question)).await.map_err(|error| told(&error))?;
        answer.map(|answer| read(&answer)).transpose()
    }

    async fn end(&self, end: TaskEnd) -> Result<(), StateError> {
        let end = match end {
            TaskEnd::Completed(result) => store::TaskEnd::Completed(bytes(&json!(result))),
            TaskEnd::Failed(error) => store::TaskEnd::Failed(bytes(&json!(error))),
            TaskEnd::Cancelled => store::TaskEnd::Cancelled,
        };
        self.0.end(end).await.map(|_| ()).map_err(|error| told(&error))
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
    let store::Task { created_at, updated_at, life, questions, end, instance: _ } = task;
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
    Ok(Task { id: id.to_string(), created_at, updated_at, life, questions, end })
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
