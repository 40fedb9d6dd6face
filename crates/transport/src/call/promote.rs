//! The one place where a call becomes more than short.

use std::sync::Arc;

use mcp_everything_store::{InstanceId, OpenedCall, SessionId, StoreError};
use rmcp::ServerHandler;

use super::{
    EventId, Started,
    outbox::Outgoing,
    pump::{Pump, Sink, said},
    tail::Tail,
};
use crate::{
    away::Patience,
    faults::Fault,
    http::{Refusal, SseEvent},
    queue::Sender,
    scope::ring,
    shared::Shared,
};

/// Where a promoted call's events go.
pub(crate) enum Promoted {
    /// To this connection, and to the log for the client that is cut off from it.
    Connection(Sender<SseEvent>),
    /// To the session's standalone stream: what notifications set off has no other, nor has
    /// anything with HTTP with SSE.
    Standalone,
    /// To the log alone: the client hung up before it could be told where to come back.
    Nowhere,
}

/// Says that a call runs. Its holder is asked for when the call is open: a stream that is opened
/// later finds it.
async fn announce<H>(shared: &Shared<H>, session: SessionId) {
    match shared.store.holder(session).await {
        Ok(holder) => ring(&*shared.bus, session, holder).await,
        Err(error) => {
            tracing::debug!(event = "store.unavailable", %session, %error,
                "a stream was not told of a call");
        }
    }
}

/// Opens the call in the store and lets its events flow. `first` is what it sent already.
pub(super) async fn promote<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    started: Started,
    first: Option<Outgoing>,
    to: Promoted,
) -> Result<(), Refusal> {
    let call = Arc::clone(&started.call);
    let id = call.request.clone();
    let Some(session) = call.session else {
        return Err(Refusal::Internal { id });
    };
    let limit = shared.config.max_running_calls;
    if shared.calls.writers.len() >= limit {
        call.abort.cancel();
        return Err(Refusal::TooMany { id, what: "running calls", limit });
    }
    let last_words = match (&to, &id) {
        (Promoted::Standalone, Some(id)) => Some(said(id, "the server that ran the call is gone")),
        (Promoted::Standalone | Promoted::Connection(_) | Promoted::Nowhere, _) => None,
    };
    let dies = matches!(first, Some(Outgoing::Fault(Fault::Die)));
    // Of one that never was everybody finds what they find of one that was killed.
    let executor =
        if dies { InstanceId::random("gone", &*shared.random) } else { shared.instance.clone() };
    let new = call.new_call(executor, last_words);
    // Registered before it is opened: whoever is told of the open call must find it here.
    let pump = Pump::register(Arc::clone(shared), session, started);
    let opened = if matches!(to, Promoted::Standalone) && id.is_none() {
        // A notification: its client was told that it is accepted.
        let mut patience = Patience::of(&shared.away, &mut http::Extensions::new());
        patience.ask(|| shared.store.open_call(session, new.clone())).await
    } else {
        shared.store.open_call(session, new).await
    };
    match opened {
        Ok(OpenedCall::Open) => {}
        Ok(OpenedCall::Cancelled) => call.cancel(),
        Ok(OpenedCall::Gone) => {
            call.abort.cancel();
            return Err(Refusal::SessionNotFound { id });
        }
        Err(error @ StoreError::LimitReached { .. }) => {
            call.abort.cancel();
            return Err(Refusal::store(&error, id));
        }
        // There is nothing but the store that could carry what it says.
        Err(error) if matches!(to, Promoted::Standalone) => {
            call.abort.cancel();
            return Err(Refusal::store(&error, id));
        }
        // The call runs already and its client waits on an open connection: it goes on without a
        // log, and its client gets no id to come back with.
        Err(error) => {
            tracing::warn!(event = "call.not_resumable", %session, call = %call.id, %error,
                "a call goes on without a log");
            let connection = match to {
                Promoted::Connection(connection) => Some(connection),
                Promoted::Standalone | Promoted::Nowhere => None,
            };
            pump.spawn(first, Sink::Connection { opened: false }, connection);
            return Ok(());
        }
    }
    match to {
        Promoted::Standalone => {
            let answered = matches!(first, Some(Outgoing::Message { last: true, .. }));
            pump.spawn(first, Sink::Standalone, None);
            // Whoever has the stream looks after the calls that are heard on it.
            if id.is_some() && !answered {
                announce(shared, session).await;
            }
        }
        Promoted::Nowhere => pump.spawn(first, Sink::Log(Tail::default()), None),
        Promoted::Connection(connection) => {
            let id = EventId::Call { call: call.id, seq: 0, last: false, request: id };
            let opening = SseEvent::opening(call.primes, &id.to_string(), shared.retry());
            // If its client is gone, so be it.
            let _ = connection.put(opening);
            pump.spawn(first, Sink::Log(Tail::default()), Some(connection));
        }
    }
    Ok(())
}
