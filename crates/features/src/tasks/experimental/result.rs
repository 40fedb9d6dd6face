//! `tasks/result`: waits for the end of a task, and meanwhile asks its client what the task asks.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use rmcp::{
    ErrorData, Peer, RoleServer, ServiceError,
    model::{CancelledNotificationParam, CustomRequest, GetMeta as _, ServerRequest},
    service::{PeerRequestOptions, RequestContext},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{super::Answer, RELATED, Task, Tasks, related, tell, unknown_task};
use crate::{call::shorten_floats, error::StateError, origin::Caller};

/// Answers when the task has ended, with what the call would have been answered with.
///
/// Each question that waits is put to the client with this request, once; whoever waits with
/// another one is asked as well, and the first answer counts.
pub(super) async fn wait(
    keeper: &dyn Tasks,
    caller: Option<&Caller>,
    mut task: Task,
    context: &RequestContext<RoleServer>,
) -> Result<Value, ErrorData> {
    let mut asking = Asking::new(&context.peer, task.id.clone());
    let outcome = loop {
        if let Some(end) = task.end {
            break tell::outcome(&task.id, end);
        }
        asking.keep_to(&task.questions);
        tokio::select! {
            biased;
            () = context.ct.cancelled() => {
                break Err(ErrorData::internal_error("the request was cancelled", None));
            }
            Some((key, answer)) = asking.next() => {
                if let Err(error) = take(keeper, caller, &task.id, key, answer).await {
                    break Err(error);
                }
            }
            changed = keeper.change(caller, &task) => match changed {
                Ok(Some(changed)) => task = changed,
                Ok(None) => break Err(unknown_task()),
                Err(error) => break Err(error.into()),
            },
        }
    };
    asking.withdraw().await;
    outcome
}

/// Hands the client's answer to whoever works on the task.
async fn take(
    keeper: &dyn Tasks,
    caller: Option<&Caller>,
    id: &str,
    key: String,
    answer: Answer,
) -> Result<(), ErrorData> {
    match keeper.answer(caller, id, BTreeMap::from([(key.clone(), answer)])).await {
        Err(StateError::LimitReached) => {
            let error = ErrorData::invalid_params("the answer is too large to be kept", None);
            let refused = BTreeMap::from([(key, Answer::Refused(error))]);
            keeper.answer(caller, id, refused).await?;
        }
        Err(error @ (StateError::Gone | StateError::Unavailable)) => return Err(error.into()),
        // That it is gone is seen next.
        Ok(_) => {}
    }
    Ok(())
}

type Asked<'a> = BoxFuture<'a, (String, Option<Answer>)>;

/// The questions of a task that were put to its client.
struct Asking<'a> {
    peer: &'a Peer<RoleServer>,
    id: String,
    /// All that were, and what withdraws them.
    put: HashMap<String, CancellationToken>,
    open: FuturesUnordered<Asked<'a>>,
}

impl<'a> Asking<'a> {
    fn new(peer: &'a Peer<RoleServer>, id: String) -> Self {
        Self { peer, id, put: HashMap::new(), open: FuturesUnordered::new() }
    }

    /// Puts what waits and was not put yet, and withdraws what does not wait any more.
    fn keep_to(&mut self, questions: &BTreeMap<String, Value>) {
        for (key, withdrawn) in &self.put {
            if !questions.contains_key(key) {
                withdrawn.cancel();
            }
        }
        for (key, question) in questions {
            if self.put.contains_key(key) {
                continue;
            }
            let withdrawn = CancellationToken::new();
            self.put.insert(key.clone(), withdrawn.clone());
            let (peer, key, request) = (self.peer, key.clone(), request(&self.id, question));
            // Within the handler's own task, by which rmcp knows over stdio what it belongs to.
            self.open.push(Box::pin(async move { (key, ask(peer, request, withdrawn).await) }));
        }
    }

    /// The next answer; waits for ever if there is nothing to be answered.
    async fn next(&mut self) -> Option<(String, Answer)> {
        while let Some((key, answer)) = self.open.next().await {
            if let Some(answer) = answer {
                return Some((key, answer));
            }
        }
        std::future::pending().await
    }

    /// Tells the client that nothing need be answered any more.
    async fn withdraw(mut self) {
        self.put.values().for_each(CancellationToken::cancel);
        while self.open.next().await.is_some() {}
    }
}

/// A question as a request of its own, which names the task.
fn request(id: &str, question: &Value) -> ServerRequest {
    let method = question["method"].as_str().unwrap_or_default();
    let mut params = question.get("params").cloned();
    params.iter_mut().for_each(shorten_floats);
    let mut request = CustomRequest::new(method, params);
    request.get_meta_mut().insert(RELATED.to_owned(), related(id));
    request.into()
}

/// The client's answer; `None` if the question was withdrawn, or the client cannot be reached.
async fn ask(
    peer: &Peer<RoleServer>,
    request: ServerRequest,
    withdrawn: CancellationToken,
) -> Option<Answer> {
    let handle =
        peer.send_request_with_option(request, PeerRequestOptions::no_options()).await.ok()?;
    let id = handle.id.clone();
    tokio::select! {
        biased;
        () = withdrawn.cancelled() => {
            let reason = Some("nobody waits for the answer any more".to_owned());
            // A client that is gone need not be told.
            let _ = peer.notify_cancelled(CancelledNotificationParam::new(Some(id), reason)).await;
            None
        }
        answer = handle.await_response() => match answer {
            Ok(answer) => Some(Answer::Given(json!(answer))),
            Err(ServiceError::McpError(error)) => Some(Answer::Refused(error)),
            // The enum is open; what is left are ways to lose the connection.
            Err(_) => None,
        },
    }
}
