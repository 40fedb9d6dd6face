//! Asking the client, on both kinds of protocol.

use rmcp::{
    ErrorData, ServiceError,
    model::{
        CancelledNotificationParam, CreateMessageRequestParams, CreateMessageResult, ElicitResult,
        ElicitationSchema, GetMeta as _, ListRootsResult,
    },
    service::PeerRequestOptions,
};
use serde_json::{Value, json};

use super::{
    Call, InTask, Round, Way,
    question::{Elicitation, Question, Roots, Sampling},
};
use crate::{error::CallError, tasks::Answer, text::bounded, wire::Wire};

/// The longest explanation of a client that is repeated, in characters.
const EXPLANATION: usize = 200;

impl Call<'_> {
    /// Asks the client's model. See [`Call`] on `key`.
    ///
    /// A client without the capability ends the call: with a result that says so up to
    /// 2025-11-25, with `-32021` on 2026-07-28. So does, up to 2025-11-25, a client that gives no
    /// valid answer within 60 seconds.
    pub async fn ask_sampling(
        &self,
        key: &str,
        request: CreateMessageRequestParams,
    ) -> Result<CreateMessageResult, CallError> {
        self.ask(key, Sampling(request)).await
    }

    /// Asks the user with a form. See [`Call`] on `key`.
    ///
    /// Whether the user accepted is in the answer; the content of an accepted one fits `schema`.
    /// Never ask for a secret this way (Elicitation, Security Considerations). For the rest as
    /// [`Self::ask_sampling`], with ten minutes to answer.
    pub async fn ask_elicitation(
        &self,
        key: &str,
        message: &str,
        schema: ElicitationSchema,
    ) -> Result<ElicitResult, CallError> {
        self.ask(key, Elicitation::form(message, schema)).await
    }

    /// Asks the client for the folders it works in. See [`Call`] on `key`, and
    /// [`Self::ask_sampling`] for the rest.
    pub async fn ask_roots(&self, key: &str) -> Result<ListRootsResult, CallError> {
        self.ask(key, Roots).await
    }

    async fn ask<Q: Question>(&self, key: &str, question: Q) -> Result<Q::Reply, CallError> {
        self.able(&question)?;
        match &self.way {
            Way::Request => self.ask_now(&question).await,
            Way::Round(round) => Self::ask_in_round(round, key, &question),
            Way::Task(task) => self.ask_in_task(task, key, &question).await,
        }
    }

    /// Ends the call if its client cannot be asked this.
    pub(super) fn able<Q: Question>(&self, question: &Q) -> Result<(), CallError> {
        let is_declared = question.declared(self.client_capabilities());
        let missing = || ErrorData::missing_required_client_capability(question.required());
        match &self.way {
            Way::Round(round) if !is_declared => return Err(round.refuse(missing()).into()),
            Way::Task(_) if !is_declared && self.wire == Wire::Stateless => {
                return Err(missing().into());
            }
            Way::Request | Way::Task(_) if !is_declared => return Err(undeclared(question)),
            Way::Request | Way::Round(_) | Way::Task(_) => {}
        }
        match (question.since(), self.protocol_version()) {
            (Some(since), Some(spoken)) if spoken < since => Err(CallError::failed(format!(
                "This needs a client that speaks revision {since} or a newer one, and this client \
                 speaks {spoken}."
            ))),
            _ => Ok(()),
        }
    }

    /// Looks for the answer in this round, and puts the question down if it is not there.
    fn ask_in_round<Q: Question>(
        round: &Round<'_>,
        key: &str,
        question: &Q,
    ) -> Result<Q::Reply, CallError> {
        let Some(answer) = round.answer(key) else {
            return Err(round.ask(key, question.input_request()));
        };
        read(question, answer).map_err(|reason| round.not_valid(key, &reason))
    }

    /// Puts the question down in the task and waits for the answer, which may be known from before
    /// the task began.
    pub(super) async fn ask_in_task<Q: Question>(
        &self,
        task: &InTask,
        key: &str,
        question: &Q,
    ) -> Result<Q::Reply, CallError> {
        match task.answer(key, question.input_request()).await? {
            Answer::Given(answer) => {
                read(question, answer).map_err(|reason| not_valid::<Q>(&reason))
            }
            Answer::Refused(error) => Err(CallError::failed(refused(Q::METHOD, &error))),
        }
    }

    /// Sends the question and waits for the answer.
    ///
    /// It is sent from within the handler's task, by which rmcp knows the request it belongs to over
    /// stdio (SEP-2260); over HTTP each call has a peer of its own.
    pub(super) async fn ask_now<Q: Question>(&self, question: &Q) -> Result<Q::Reply, CallError> {
        let options = PeerRequestOptions::with_timeout(Q::TIMEOUT);
        let peer = &self.context.peer;
        let mut request = question.server_request();
        if let Some(trace) = self.trace() {
            trace.put(request.get_meta_mut());
        }
        let handle = peer
            .send_request_with_option(request, options)
            .await
            .map_err(|error| unanswered(Q::METHOD, error))?;
        let id = handle.id.clone();
        let answer = tokio::select! {
            biased;
            () = self.cancelled() => {
                let reason = Some("the call that asked was cancelled".to_owned());
                // A client that is gone need not be told.
                let _ = peer.notify_cancelled(CancelledNotificationParam::new(Some(id), reason)).await;
                return Err(CallError::Cancelled);
            }
            answer = handle.await_response() => answer.map_err(|error| unanswered(Q::METHOD, error))?,
        };
        read(question, json!(answer)).map_err(|reason| not_valid::<Q>(&reason))
    }
}

fn undeclared<Q: Question>(question: &Q) -> CallError {
    let missing = json!(question.required());
    CallError::failed(format!(
        "This needs a client that declares the capability {missing}, and this client does not: it \
         cannot be asked {}.",
        Q::METHOD
    ))
}

/// What a caller reads when the client answers with an error.
fn refused(method: &str, error: &ErrorData) -> String {
    let said = bounded(&error.message, EXPLANATION);
    format!("The client answered {method} with error {}: {said}", error.code.0)
}

pub(super) fn not_valid<Q: Question>(reason: &str) -> CallError {
    CallError::failed(format!("The client's answer to {} is not valid: {reason}", Q::METHOD))
}

/// Reads an answer, and says what is wrong with one that cannot be used.
pub(super) fn read<Q: Question>(question: &Q, answer: Value) -> Result<Q::Reply, String> {
    let reply =
        serde_json::from_value(answer).map_err(|error| bounded(&error.to_string(), EXPLANATION))?;
    match question.fault(&reply) {
        Some(fault) => Err(fault),
        None => Ok(reply),
    }
}

/// What a caller reads when the client gives no answer.
pub(super) fn unanswered(method: &str, error: ServiceError) -> CallError {
    CallError::failed(match error {
        ServiceError::McpError(error) => refused(method, &error),
        ServiceError::Timeout { timeout } => {
            format!("The client did not answer {method} within {} seconds.", timeout.as_secs())
        }
        // The enum is open; what is left are ways to lose the connection.
        _ => format!("The connection to the client was lost before it answered {method}."),
    })
}
