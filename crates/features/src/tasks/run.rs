//! Running a call as a task.

use std::{sync::Arc, time::Duration};

use rmcp::{ErrorData, RoleServer, model::CallToolRequestParams, service::RequestContext};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::{Generation, RunningTask, TaskEnd, Tasks, experimental, tell};
use crate::{
    call::{Call, InTask, Way},
    error::{CallError, StateError, failed},
    everything::Everything,
    request_state::State,
    wire::Wire,
};

/// How long work that should stop may take to do so.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a task begins with.
pub(crate) struct Terms {
    /// By which rules it is told of.
    pub(crate) generation: Generation,
    /// How long it is kept.
    pub(crate) life: Duration,
    /// What was answered and noted before it began.
    pub(crate) known: State,
}

/// Begins a task that goes on with the call when this has returned.
pub(crate) async fn begin(
    server: &Everything,
    keeper: &Arc<dyn Tasks>,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
    terms: Terms,
) -> Result<Arc<dyn RunningTask>, ErrorData> {
    let Terms { generation, life, known } = terms;
    let caller = (server.shared.origin)(&context.extensions).caller;
    let task = keeper.begin(caller.as_ref(), &context.extensions, life).await.map_err(not_begun)?;
    let mut apart = RequestContext::new(context.id.clone(), context.peer.clone());
    apart.ct = task.stop().clone();
    apart.meta = context.meta.clone();
    apart.extensions = context.extensions.clone();
    let (server, working) = (server.clone(), Arc::clone(&task));
    let work = async move {
        let way = Way::Task(InTask::new(generation, known, working));
        let (wire, session) = match generation {
            Generation::Experimental => (Wire::Stateful, server.session.as_deref()),
            Generation::Extension => (Wire::Stateless, None),
        };
        let call = Call::new(&apart, wire, session, &server.shared, way);
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        server.shared.tools.call(&request.name, &arguments, &call).await
    };
    let work = AbortOnDropHandle::new(tokio::spawn(work.in_current_span()));
    let (keeper, seen) = (Arc::clone(keeper), Arc::clone(&task));
    let following = async move {
        see_through(&*seen, work).await;
        match generation {
            Generation::Experimental => experimental::say_end(&*keeper, caller, &*seen).await,
            Generation::Extension => {}
        }
    };
    tokio::spawn(following.in_current_span());
    Ok(task)
}

fn not_begun(error: StateError) -> ErrorData {
    match error {
        StateError::LimitReached => {
            ErrorData::internal_error("there are too many tasks; wait until some are gone", None)
        }
        error @ (StateError::Gone | StateError::Unavailable) => error.into(),
    }
}

type Outcome = Result<rmcp::model::CallToolResult, CallError>;

/// Waits for the work, and writes down how it ended.
async fn see_through(task: &dyn RunningTask, mut work: AbortOnDropHandle<Outcome>) {
    let done = tokio::select! {
        done = &mut work => Some(done),
        () = task.stop().cancelled() => timeout(LAST_WORDS, &mut work).await.ok(),
    };
    work.abort();
    let outcome = match done {
        Some(Ok(outcome)) => outcome,
        // It panicked, which the hook has logged.
        Some(Err(_)) => Err(ErrorData::internal_error("the tool failed", None).into()),
        None => Err(CallError::Cancelled),
    };
    let end = end(outcome);
    let ended = match task.end(end).await {
        // What is too large to be kept.
        Err(StateError::LimitReached) => {
            let error = ErrorData::internal_error("the result is too large to be kept", None);
            task.end(TaskEnd::Failed(error)).await
        }
        ended => ended,
    };
    if let Err(error) = ended {
        tracing::warn!(event = "task.unended", task = task.id(), %error,
            "how a task ended could not be kept");
    }
}

fn end(outcome: Outcome) -> TaskEnd {
    let result = match outcome {
        Ok(result) => result,
        Err(CallError::Failed(text)) => failed(text),
        Err(CallError::Protocol(error)) => return TaskEnd::Failed(error),
        // If it was cancelled, it has ended by that; if not, the server goes away.
        Err(CallError::Cancelled) => {
            let gone = "the server that worked on this task went away; run it again";
            return TaskEnd::Failed(ErrorData::internal_error(gone, None));
        }
        Err(CallError::Waiting(_)) => {
            return TaskEnd::Failed(ErrorData::internal_error("the call waits for nothing", None));
        }
    };
    tell::object(json!(result)).map_or_else(TaskEnd::Failed, TaskEnd::Completed)
}
