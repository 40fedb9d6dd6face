//! What a running tool or prompt can do.

mod ask;
mod ask_url;
mod client_task;
mod faults;
mod log;
mod progress;
mod question;
mod round;
mod task;
mod tools;

use std::{
    collections::BTreeMap,
    sync::{Mutex, OnceLock},
    time::Duration,
};

use futures::future::BoxFuture;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientCapabilities, GetMeta as _, Implementation, InputRequiredResult, ProtocolVersion,
        ServerNotification,
    },
    service::RequestContext,
};

pub use self::{ask_url::UrlAnswer, client_task::Followed};
pub(crate) use self::{question::shorten_floats, round::Round, task::InTask};
use crate::{
    changes::Change, error::CallError, everything::Shared, fetch::Fetch, origin::Origin,
    request_state::State, session::SessionState, shelf::OwnShelf, trace::Trace, wire::Wire,
};

/// A running `tools/call` or `prompts/get`: the way to its client.
///
/// A tool asks, logs and reports progress through it and need not know which revision its client
/// speaks.
///
/// # Asking
///
/// `call.ask_elicitation("key", message, form).await?` gives the client's answer. Up to 2025-11-25 the
/// question is sent while the call runs. On 2026-07-28 the call ends with the question, and the
/// client repeats the request with the answer: the tool runs again from its start, and this time
/// the same line returns. The key tells questions of one tool apart and must not depend on
/// anything but earlier answers.
///
/// Questions that do not depend on each other go out together when they are awaited together:
///
/// ```
/// # use mcp_everything_features::{Call, CallError};
/// # use rmcp::model::CreateMessageRequestParams;
/// # async fn example(
/// #     call: &Call<'_>, request: CreateMessageRequestParams,
/// # ) -> Result<(), CallError> {
/// let (poem, roots) = tokio::join!(call.ask_sampling("poem", request), call.ask_roots("roots"));
/// let (poem, roots) = (poem?, roots?);
/// # drop((poem, roots));
/// # Ok(())
/// # }
/// ```
pub struct Call<'a> {
    context: &'a RequestContext<RoleServer>,
    wire: Wire,
    capabilities: OnceLock<ClientCapabilities>,
    session: Option<&'a dyn SessionState>,
    shared: &'a Shared,
    way: Way<'a>,
    reported: Mutex<f64>,
    trace: OnceLock<Option<Trace>>,
}

/// How a call asks its client.
pub(crate) enum Way<'a> {
    /// By a request of its own, while the call runs: up to 2025-11-25.
    Request,
    /// By the result of this round, on 2026-07-28.
    Round(Box<Round<'a>>),
    /// By the state of the task that the call has become.
    Task(InTask),
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        context: &'a RequestContext<RoleServer>,
        wire: Wire,
        session: Option<&'a dyn SessionState>,
        shared: &'a Shared,
        way: Way<'a>,
    ) -> Self {
        let capabilities = OnceLock::new();
        let reported = Mutex::new(f64::NEG_INFINITY);
        let trace = OnceLock::new();
        Self { context, wire, capabilities, session, shared, way, reported, trace }
    }

    /// The kind of protocol the client speaks.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// The revision the client speaks.
    pub fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.context.protocol_version()
    }

    /// What the client declared it can do: with this request on 2026-07-28, before that with
    /// `initialize`.
    pub fn client_capabilities(&self) -> &ClientCapabilities {
        self.capabilities.get_or_init(|| self.context.client_capabilities().unwrap_or_default())
    }

    /// What the client says it is, with the same.
    pub fn client_info(&self) -> Option<Implementation> {
        match self.wire {
            Wire::Stateful => self.context.client_info(),
            // rmcp has a client of its own to fall back on.
            Wire::Stateless => self.context.meta.client_info(),
        }
    }

    /// Whether the call belongs to a session, which there is none of on 2026-07-28.
    pub fn has_session(&self) -> bool {
        self.wire == Wire::Stateful && self.session.is_some()
    }

    /// Where the call came from.
    pub fn origin(&self) -> Origin {
        (self.shared.origin)(&self.context.extensions)
    }

    /// The trace that the call belongs to.
    fn trace(&self) -> Option<&Trace> {
        self.trace.get_or_init(|| self.origin().trace).as_ref()
    }

    /// Sends a notification that belongs to the call, and to its trace. A lost connection shows
    /// itself as a cancelled call.
    ///
    /// Boxed: it is large, and the tool has room for it from its first moment to its last.
    fn notify(&self, mut notification: ServerNotification) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // Of a request that was cancelled nothing more is said (2026-07-28, Cancellation).
            if self.context.ct.is_cancelled() {
                return;
            }
            if let Some(trace) = self.trace() {
                trace.put(notification.get_meta_mut());
            }
            if let Way::Task(task) = &self.way {
                // A progress token stays valid for the life of the task (2025-11-25, Tasks).
                return task.tell(notification).await;
            }
            let _ = self.context.peer.send_notification(notification).await;
        })
    }

    /// The process that serves the call.
    pub fn instance(&self) -> &str {
        &self.shared.instance
    }

    /// The time now, in milliseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        (self.shared.clock)()
    }

    /// The settings of the server that anybody may see.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.shared.settings
    }

    /// The version of the server.
    pub(crate) fn server_version(&self) -> &str {
        &self.shared.config.server_info.version
    }

    /// For how long the process has been there.
    pub(crate) fn uptime(&self) -> Duration {
        let now = (self.shared.clock)();
        Duration::from_millis(now.saturating_sub(self.shared.since))
    }

    /// Waits until the client cancels the call, which a call that takes long should notice.
    pub async fn cancelled(&self) {
        self.context.ct.cancelled().await;
    }

    /// What the embedding server left in the request's extensions.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.context.extensions.get()
    }

    /// Tells all listeners of all clients about a change.
    pub async fn publish(&self, change: Change) -> Result<(), CallError> {
        Ok(self.shared.changes.publish(change.into()).await?)
    }

    /// What belongs to the caller.
    pub(crate) fn shelf(&self) -> OwnShelf<'a> {
        OwnShelf::of(self.origin().user(), self.shared)
    }

    /// What fetches the URLs that clients name.
    pub(crate) fn fetch(&self) -> &dyn Fetch {
        &*self.shared.fetch
    }

    /// The session, for the tool of this name, which means nothing without one.
    pub(crate) fn needed_session(&self, tool: &str) -> Result<&'a dyn SessionState, CallError> {
        let session = self.session.filter(|_| self.wire == Wire::Stateful);
        session.ok_or_else(|| {
            CallError::failed(format!(
                "{tool} is about a session, and there is none: 2026-07-28 has no sessions."
            ))
        })
    }

    /// Sends a notification on the way of the call's answer.
    pub(crate) async fn say(&self, notification: ServerNotification) {
        // A lost connection shows itself as a cancelled call.
        let _ = self.context.peer.send_notification(notification).await;
    }

    /// Whether the call goes on as a task, after its request was answered.
    pub fn is_task(&self) -> bool {
        matches!(self.way, Way::Task(_))
    }

    /// The questions put down in this round, as the result of the request.
    pub(crate) fn into_input_required(self) -> Result<InputRequiredResult, ErrorData> {
        match self.way {
            Way::Round(round) => round.finish(),
            Way::Request | Way::Task(_) => Err(waits_for_nothing()),
        }
    }

    /// The answers that this round was given and has used, and what was noted.
    pub(crate) fn remembered(&self) -> State {
        match &self.way {
            Way::Round(round) => round.used(),
            Way::Request | Way::Task(_) => State::default(),
        }
    }
}

fn waits_for_nothing() -> ErrorData {
    ErrorData::internal_error("the call waits for nothing", None)
}
