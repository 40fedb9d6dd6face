//! A call whose request still waits for it.

use std::sync::Arc;

use mcp_everything_store::witnessed;
use rmcp::ServerHandler;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use super::{Outgoing, Promoted, Started, promote};
use crate::{faults::HELD, http::Refusal, shared::Shared};

/// The time of a short call is over.
pub(crate) struct NotShort;

/// A call between its start and its answer or promotion. If the request that waits for it goes
/// away, it is promoted all the same: a client that hangs up has cancelled nothing, and whatever
/// goes on must be counted, found by a cancellation, and ended with its session.
pub(crate) struct Waiting<H: ServerHandler> {
    shared: Arc<Shared<H>>,
    started: Option<Started>,
    deadline: Instant,
}

impl<H: ServerHandler> Waiting<H> {
    pub(crate) fn new(shared: &Arc<Shared<H>>, started: Started) -> Self {
        let call = &started.call;
        let patience = if call.held { HELD } else { shared.config.promote_after };
        let deadline = call.started + patience;
        Self { shared: Arc::clone(shared), started: Some(started), deadline }
    }

    /// The call's first message, if it comes before a short call's time is over; `None` if the
    /// call has ended without any.
    pub(crate) async fn first(&mut self) -> Result<Option<Outgoing>, NotShort> {
        let Some(started) = &mut self.started else { return Ok(None) };
        let held = started.call.held;
        tokio::select! {
            biased;
            first = timeout_at(self.deadline, started.next()) => first.map_err(|_| NotShort),
            // It is not held on to by an instance that goes away.
            () = self.shared.draining.cancelled(), if held => Err(NotShort),
        }
    }

    /// It has answered, or ended: nothing of it is left to run.
    pub(crate) fn done(mut self) {
        self.started = None;
    }

    /// Lets it go on as more than short. A promotion that has begun is not undone by a request
    /// that goes away.
    pub(crate) async fn promote(
        mut self,
        first: Option<Outgoing>,
        to: Promoted,
    ) -> Result<(), Refusal> {
        let Some(mut started) = self.started.take() else { return Ok(()) };
        started.set_apart();
        let id = started.call.request.clone();
        let shared = Arc::clone(&self.shared);
        let span = started.call.span.clone();
        let promotion = async move { promote(&shared, started, first, to).await };
        let promotion = tokio::spawn(witnessed(promotion.instrument(span)));
        promotion.await.unwrap_or(Err(Refusal::Internal { id }))
    }
}

impl<H: ServerHandler> Drop for Waiting<H> {
    fn drop(&mut self) {
        let Some(mut started) = self.started.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        started.set_apart();
        let (shared, span) = (Arc::clone(&self.shared), started.call.span.clone());
        let left = async move {
            let call = started.call.id;
            if let Err(refused) = promote(&shared, started, None, Promoted::Nowhere).await {
                tracing::debug!(event = "call.refused", %call, %refused,
                    "a call that nobody waits for was not let go on");
            }
        };
        runtime.spawn(witnessed(left.instrument(span)));
    }
}
