//! The rest of a call's stream, for a client that was cut off from it.
//!
//! It is read from the call's log, so any instance can serve it, whichever runs the call.

mod readers;
mod rest;

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use futures::stream;
use http::request::Parts;
use mcp_everything_store::{Bell, CallId, CallLog, InstanceId, Ring, SessionId, spans};
use rmcp::{
    ServerHandler,
    model::{ErrorData, RequestId, ServerJsonRpcMessage},
};
use tracing::Instrument as _;

pub(crate) use self::readers::Readers;
use self::rest::Rest;
use crate::{
    away::Patience,
    call::EventId,
    http::{Refusal, SseEvent, event_stream},
    scope::to_bytes,
    shared::Shared,
};

/// Where a client was cut off.
pub(crate) struct Cut {
    pub(crate) session: SessionId,
    pub(crate) call: CallId,
    pub(crate) seq: u64,
    /// What the client called the request, as its event id says.
    pub(crate) request: Option<RequestId>,
}

impl Cut {
    fn event_id(&self, seq: u64, last: bool) -> String {
        let Self { call, request, .. } = self;
        EventId::Call { call: *call, seq, last, request: request.clone() }.to_string()
    }

    /// The answer to a request that no other answer will come to.
    fn epitaph(&self, reason: &'static str) -> bytes::Bytes {
        let error = ErrorData::internal_error(reason, None);
        to_bytes(&ServerJsonRpcMessage::error(error, self.request.clone()))
    }
}

pub(crate) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    cut: Cut,
    primes: bool,
    parts: &Parts,
    patience: &mut Patience<'_>,
) -> Result<Response, Refusal> {
    // Registered before the log is read: what comes after the reading wakes it.
    let reader = shared.readers.register(cut.session, cut.call);
    let lease = shared.grants.lease(&parts.extensions, &*shared.clock);
    let Cut { session, call, seq, .. } = cut;
    let log =
        patience.ask(|| shared.store.read_call(session, call, seq, Some(&shared.instance))).await;
    let keep_alive = shared.config.keep_alive;
    let Some(log) = log.map_err(|error| Refusal::store(&error, None))? else {
        return lost(&cut, keep_alive);
    };
    if log.ended && log.events.iter().all(|event| event.data.is_empty()) {
        let reason = "nothing more comes on that stream";
        return Err(Refusal::NothingToResume { reason });
    }
    tracing::info!(event = "stream.resumed", session = %cut.session, call = %cut.call,
        after = cut.seq, "a client came back for the rest of a stream");
    leave(shared, &cut, &log).await;
    let rest = Rest::new(Arc::clone(shared), cut, (reader, lease), primes, log);
    let span = spans::current();
    let events = stream::unfold(rest, move |mut rest| {
        async move { Some((rest.next().await?, rest)) }.instrument(span.clone())
    });
    Ok(event_stream(events, keep_alive))
}

/// A call nothing is kept of: its instance died before it was opened, or its time is over. A
/// client that is told nothing would wait for its answer.
fn lost(cut: &Cut, keep_alive: Duration) -> Result<Response, Refusal> {
    if cut.request.is_none() {
        return Err(Refusal::NothingToResume { reason: "that stream is not known" });
    }
    let id = Some(cut.event_id(cut.seq.saturating_add(1), true));
    let event = SseEvent::Message { id, data: cut.epitaph("the call is lost") };
    Ok(event_stream(stream::iter([event]), keep_alive))
}

/// The connections before this one get nothing more: their client has left them.
async fn leave<H>(shared: &Shared<H>, cut: &Cut, log: &CallLog) {
    if let Some(call) = shared.calls.get(cut.session, cut.call) {
        call.detach.cancel();
    }
    let executor = (!log.ended).then_some(&log.instance);
    let mut others: Vec<&InstanceId> =
        executor.into_iter().chain(&log.reader).filter(|to| **to != shared.instance).collect();
    others.dedup();
    for other in others {
        let bell = Bell::Resumed(cut.session, cut.call);
        if let Err(error) = shared.bus.ring(Ring::One(other.clone()), bell).await {
            tracing::warn!(event = "bus.unavailable", %error, "another instance was not rung");
        }
    }
}
