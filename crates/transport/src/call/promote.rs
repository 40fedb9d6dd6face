//! The one place where a call becomes more than short.

use std::sync::Arc;

use mcp_everything_store::{NewCall, OpenedCall, StoreError};
use rmcp::ServerHandler;
use tokio::sync::mpsc;

use super::{
    EventId, Started,
    pump::{Pump, Sink},
    run::Outgoing,
};
use crate::{
    http::{Refusal, SseEvent},
    shared::Shared,
};

/// Where a promoted call's events go.
pub(crate) enum Promoted {
    /// To this connection, and to the log for the client that is cut off from it.
    Connection(mpsc::Sender<SseEvent>),
    /// To the session's standalone stream: what notifications set off has no other.
    Standalone,
}

/// Opens the call in the store and lets its events flow. `first` is what it sent already.
pub(crate) async fn promote<H: ServerHandler>(
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
    let new = NewCall {
        id: call.id,
        request: call.request_key(),
        instance: shared.instance.clone(),
        age: call.started.elapsed(),
    };
    // Registered before it is opened: whoever is told of the open call must find it here.
    let pump = Pump::register(Arc::clone(shared), session, started);
    match shared.store.open_call(session, new).await {
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
        // The call runs already and its client waits on an open connection: it goes on without a
        // log, and its client gets no id to come back with.
        Err(error) => {
            tracing::warn!(event = "call.not_resumable", %session, call = %call.id, %error,
                "a call goes on without a log");
            match to {
                Promoted::Connection(connection) => {
                    send_first(&connection, SseEvent::Retry(shared.config.retry));
                    pump.spawn(first, Sink::Connection, Some(connection));
                }
                Promoted::Standalone => pump.spawn(first, Sink::Connection, None),
            }
            return Ok(());
        }
    }
    match to {
        Promoted::Standalone => pump.spawn(first, Sink::Standalone, None),
        Promoted::Connection(connection) => {
            let id = EventId::Call { call: call.id, seq: 0, last: false, request: id }.to_string();
            send_first(&connection, SseEvent::Priming { id, retry: shared.config.retry });
            pump.spawn(first, Sink::Log, Some(connection));
        }
    }
    Ok(())
}

/// The first event of a connection finds room; if its client is gone already, so be it.
fn send_first(connection: &mpsc::Sender<SseEvent>, event: SseEvent) {
    let _ = connection.try_send(event);
}
