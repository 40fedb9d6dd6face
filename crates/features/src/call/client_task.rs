//! Asking the client by a task of its own (2025-11-25, Tasks): it takes the question, answers at
//! once that it works on it, and is asked how it gets on until it has a result.

use std::time::Duration;

use rmcp::{
    ServiceError,
    model::{
        CancelledNotificationParam, CreateMessageRequestParams, CreateMessageResult, CustomRequest,
        ElicitResult, ElicitationSchema, ProtocolVersion,
    },
    service::PeerRequestOptions,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Call, Way,
    ask::{not_valid, read, unanswered},
    question::{Elicitation, Question, Sampling},
};
use crate::{
    declared::capability,
    error::CallError,
    text::{bounded, quoted},
};

/// How long one answer about a task may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a client may take to cancel its task.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often the client is asked about its task if it does not say, and the bounds of what it says.
const POLL: Duration = Duration::from_secs(1);
const SHORTEST_POLL: Duration = Duration::from_millis(50);
const LONGEST_POLL: Duration = Duration::from_secs(5);
/// The longest message of a client about its task that is repeated, in characters.
const MESSAGE: usize = 200;

/// An answer that a client worked out as a task.
#[derive(Debug)]
pub struct Followed<R> {
    /// The answer.
    pub reply: R,
    /// What the client called its task, fit to be shown.
    pub task: String,
    /// How often it was asked how it gets on.
    pub polls: u32,
}

/// The answer to a request that asks for a task.
#[derive(Deserialize)]
struct Created {
    task: Told,
}

/// A task, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    task_id: String,
    status: Status,
    status_message: Option<String>,
    poll_interval: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

impl Call<'_> {
    /// Asks the client's model as [`Self::ask_sampling`] does, by a task of the client. See
    /// [`Self::ask_elicitation_as_task`].
    pub async fn ask_sampling_as_task(
        &self,
        request: CreateMessageRequestParams,
    ) -> Result<Followed<CreateMessageResult>, CallError> {
        self.follow(Sampling(request)).await
    }

    /// Asks the user as [`Self::ask_elicitation`] does, by a task of the client.
    ///
    /// A client that has not the capability for it, or speaks another revision than 2025-11-25,
    /// which alone has such tasks, ends the call with a result that says so. So does one whose task
    /// fails, or is not done in the time that it has without a task.
    pub async fn ask_elicitation_as_task(
        &self,
        message: &str,
        schema: ElicitationSchema,
    ) -> Result<Followed<ElicitResult>, CallError> {
        self.follow(Elicitation::form(message, schema)).await
    }

    async fn follow<Q: Question>(&self, question: Q) -> Result<Followed<Q::Reply>, CallError> {
        self.able(&question)?;
        let tasks = self.client_tasks();
        let declared = tasks.pointer(&format!("/requests/{}", Q::METHOD)).is_some();
        if !declared || !matches!(self.way, Way::Request) {
            let (family, method) = Q::METHOD.split_once('/').unwrap_or_default();
            let missing = json!({ "tasks": { "requests": { family: { method: {} } } } });
            return Err(CallError::failed(format!(
                "This needs a client of revision 2025-11-25 that declares the capability {missing}, \
                 and this client does not: it cannot be asked {} by a task.",
                Q::METHOD
            )));
        }
        let until = Instant::now() + Q::TIMEOUT;
        let mut asked = json!(question.server_request());
        let mut params = asked["params"].take();
        params["task"] =
            json!({ "ttl": u64::try_from(Q::TIMEOUT.as_millis()).unwrap_or(u64::MAX) });
        let created = self.ask_client::<Q>(Q::METHOD, params, until).await?;
        let Created { mut task } = told::<Q, _>(created)?;
        let mut polls = 0;
        let reply = self.see_through(&question, &mut task, &mut polls, until).await;
        let works = matches!(task.status, Status::Working | Status::InputRequired);
        if reply.is_err() && works && tasks.get("cancel").is_some() {
            self.give_up(&task).await;
        }
        Ok(Followed { reply: reply?, task: quoted(&task.task_id), polls })
    }

    /// Asks how a task gets on until it has a result, and for that.
    async fn see_through<Q: Question>(
        &self,
        question: &Q,
        task: &mut Told,
        polls: &mut u32,
        until: Instant,
    ) -> Result<Q::Reply, CallError> {
        let named = json!({ "taskId": task.task_id });
        while task.status == Status::Working {
            let pause = task.poll_interval.map_or(POLL, Duration::from_millis);
            tokio::select! {
                () = self.cancelled() => return Err(CallError::Cancelled),
                () = sleep(pause.clamp(SHORTEST_POLL, LONGEST_POLL)) => {}
            }
            let soon = until.min(Instant::now() + ANSWER);
            *task = told::<Q, _>(self.ask_client::<Q>("tasks/get", named.clone(), soon).await?)?;
            *polls += 1;
        }
        let became = match task.status {
            // What it needs to know it asks while its result is waited for.
            Status::Working | Status::InputRequired | Status::Completed => {
                let answer = self.ask_client::<Q>("tasks/result", named, until).await?;
                return read(question, answer).map_err(|reason| not_valid::<Q>(&reason));
            }
            Status::Failed => "has failed",
            Status::Cancelled => "was cancelled",
        };
        let said = task.status_message.as_deref().unwrap_or("it does not say why");
        let (method, said) = (Q::METHOD, bounded(said, MESSAGE));
        Err(CallError::failed(format!("The client's task for {method} {became}: {said}")))
    }

    /// What the client declared of its tasks.
    fn client_tasks(&self) -> Value {
        if self.protocol_version() != Some(ProtocolVersion::V_2025_11_25) {
            return Value::Null;
        }
        let initialize = (self.shared.declared)(&self.context.extensions);
        initialize.and_then(|initialize| capability(&initialize, "tasks")).unwrap_or_default()
    }

    /// Sends a request and waits for the answer, or until the call is cancelled.
    async fn ask_client<Q: Question>(
        &self,
        method: &str,
        params: Value,
        until: Instant,
    ) -> Result<Value, CallError> {
        let request = CustomRequest::new(method, Some(params)).into();
        let peer = &self.context.peer;
        let handle = peer
            .send_request_with_option(request, PeerRequestOptions::no_options())
            .await
            .map_err(|error| unanswered(method, error))?;
        let id = handle.id.clone();
        let error = tokio::select! {
            biased;
            () = self.cancelled() => CallError::Cancelled,
            answer = timeout_at(until, handle.await_response()) => match answer {
                Ok(answer) => {
                    return Ok(json!(answer.map_err(|error| unanswered(method, error))?));
                }
                Err(_) => too_late::<Q>(),
            },
        };
        let reason = Some("nobody waits for the answer any more".to_owned());
        // A client that is gone need not be told.
        let _ = peer.notify_cancelled(CancelledNotificationParam::new(Some(id), reason)).await;
        Err(error)
    }

    /// Tells the client that its task is not waited for any more.
    async fn give_up(&self, task: &Told) {
        let named = json!({ "taskId": task.task_id });
        let request = CustomRequest::new("tasks/cancel", Some(named)).into();
        // What comes of it is the client's alone, but what is not waited for is not sent when the
        // call ends.
        let options = PeerRequestOptions::with_timeout(FAREWELL);
        if let Ok(handle) = self.context.peer.send_request_with_option(request, options).await {
            let _: Result<_, ServiceError> = handle.await_response().await;
        }
    }
}

fn told<Q: Question, T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, CallError> {
    serde_json::from_value(answer)
        .map_err(|error| not_valid::<Q>(&format!("it is no task: {}", quoted(&error.to_string()))))
}

fn too_late<Q: Question>() -> CallError {
    let (method, time) = (Q::METHOD, Q::TIMEOUT.as_secs());
    CallError::failed(format!("The client's task for {method} was not done within {time} seconds."))
}
