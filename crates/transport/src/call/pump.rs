//! The one writer of a promoted call: it numbers the call's messages, keeps them, and sends them
//! to the connection while there is one.

use std::sync::Arc;

use bytes::Bytes;
use mcp_everything_store::{Appended, Bell, CallEvent, InstanceId, Ring, SessionId, StoreError};
use rmcp::{
    ServerHandler,
    model::{ErrorData, ServerJsonRpcMessage},
};
use tokio::sync::mpsc;

use super::{EventId, Started, run::Outgoing, running::Registered};
use crate::{
    http::SseEvent,
    scope::{SessionError, push, to_bytes},
    shared::Shared,
};

pub(super) enum Sink {
    /// The call's log.
    Log,
    /// Nothing but the connection: the log could not be opened, or failed.
    Connection,
    /// The session's standalone stream.
    Standalone,
}

pub(super) struct Pump<H> {
    shared: Arc<Shared<H>>,
    session: SessionId,
    started: Started,
    connection: Option<mpsc::Sender<SseEvent>>,
    sink: Sink,
    seq: u64,
    _registered: Registered,
}

/// The call is over as far as its writer is concerned.
struct Over;

impl<H: ServerHandler> Pump<H> {
    pub(super) fn register(shared: Arc<Shared<H>>, session: SessionId, started: Started) -> Self {
        let registered = shared.calls.register(&started.call);
        Self {
            shared,
            session,
            started,
            connection: None,
            sink: Sink::Log,
            seq: 0,
            _registered: registered,
        }
    }

    pub(super) fn spawn(
        mut self,
        first: Option<Outgoing>,
        sink: Sink,
        connection: Option<mpsc::Sender<SseEvent>>,
    ) {
        self.sink = sink;
        self.connection = connection;
        let shared = Arc::clone(&self.shared);
        shared.calls.writers.spawn(self.run(first));
    }

    async fn run(mut self, first: Option<Outgoing>) {
        let mut waiting = first;
        loop {
            let outgoing = match waiting.take() {
                Some(outgoing) => Some(outgoing),
                None => self.next().await,
            };
            let (data, last) = match outgoing {
                Some(Outgoing { message, last }) => (to_bytes(&message), last),
                None => (self.epitaph(), true),
            };
            if self.write(data, last).await.is_err() {
                self.started.call.abort.cancel();
                return;
            }
            if last {
                self.started.answered();
                return;
            }
        }
    }

    async fn next(&mut self) -> Option<Outgoing> {
        loop {
            tokio::select! {
                biased;
                outgoing = self.started.outbox.next() => return outgoing,
                () = self.started.call.detach.cancelled(), if self.connection.is_some() => {
                    self.connection = None;
                }
            }
        }
    }

    /// The last event of a call that gave no answer. One that its client cancelled must not have
    /// any ("Cancellation"); of one that this server ended the client is told.
    fn epitaph(&self) -> Bytes {
        let call = &self.started.call;
        match &call.request {
            Some(request) if !call.was_cancelled() => to_bytes(&ServerJsonRpcMessage::error(
                ErrorData::internal_error("the server ended the call before it was done", None),
                Some(request.clone()),
            )),
            _ => Bytes::new(),
        }
    }

    async fn write(&mut self, data: Bytes, last: bool) -> Result<(), Over> {
        self.seq += 1;
        match self.sink {
            Sink::Log => {
                let event = CallEvent { seq: self.seq, data: data.clone(), last };
                match self.shared.store.append(self.session, self.started.call.id, event).await {
                    Ok(Appended::Kept { reader } | Appended::Full { reader }) => {
                        self.ring(reader).await;
                    }
                    Ok(Appended::Ended | Appended::Gone) => return Err(Over),
                    Err(error) => self.give_up_log(&error),
                }
                let id = matches!(self.sink, Sink::Log).then(|| self.event_id(last).to_string());
                self.send(id, data).await;
            }
            Sink::Connection => self.send(None, data).await,
            Sink::Standalone if last && data.is_empty() => {
                let closed = self.shared.store.close_call(self.session, self.started.call.id);
                // Its log is empty: if this fails, it goes with the session.
                drop(closed.await);
            }
            Sink::Standalone => {
                let (store, bus) = (&*self.shared.store, &*self.shared.bus);
                match push(store, bus, self.session, data).await {
                    Ok(()) => {}
                    Err(SessionError::Gone) => return Err(Over),
                    Err(SessionError::Store(error)) => {
                        tracing::warn!(event = "stream.lost", session = %self.session, %error,
                            "a message for the standalone stream is lost");
                    }
                }
            }
        }
        Ok(())
    }

    fn event_id(&self, last: bool) -> EventId {
        let call = &self.started.call;
        EventId::Call { call: call.id, seq: self.seq, last, request: call.request.clone() }
    }

    fn give_up_log(&mut self, error: &StoreError) {
        tracing::warn!(event = "call.not_resumable", session = %self.session,
            call = %self.started.call.id, %error, "a call goes on without its log");
        self.sink = Sink::Connection;
    }

    /// A slow reader makes this call wait, and no other; one that stays slow loses the connection
    /// and can come back for the rest.
    async fn send(&mut self, id: Option<String>, data: Bytes) {
        let Some(connection) = self.connection.as_ref().filter(|_| !data.is_empty()) else {
            return;
        };
        let event = SseEvent::Message { id, data };
        if connection.send_timeout(event, self.shared.config.slow_reader).await.is_err() {
            self.connection = None;
        }
    }

    async fn ring(&self, reader: Option<InstanceId>) {
        let call = self.started.call.id;
        match reader {
            None => {}
            Some(reader) if reader == self.shared.instance => self.shared.readers.wake(call),
            Some(reader) => {
                let bell = Bell::CallGrew(self.session, call);
                if let Err(error) = self.shared.bus.ring(Ring::One(reader), bell).await {
                    tracing::warn!(event = "bus.unavailable", %error, "a reader was not rung");
                }
            }
        }
    }
}
