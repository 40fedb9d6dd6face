//! The one writer of a promoted call: it numbers the call's messages, keeps them, and sends them
//! to the connection while there is one.

use std::sync::Arc;

use bytes::Bytes;
use mcp_everything_store::{Bell, CallEvent, InstanceId, Ring, SessionId};
use rmcp::{
    ServerHandler,
    model::{ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage},
};
use tokio::sync::mpsc;

use super::{
    EventId, Started, aloud,
    run::Outgoing,
    running::Registered,
    tail::{Logged, Tail},
};
use crate::{http::SseEvent, scope::to_bytes, shared::Shared};

pub(super) enum Sink {
    /// The call's log.
    Log(Tail),
    /// Nothing but the connection: there is no log.
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
pub(super) struct Over;

impl<H: ServerHandler> Pump<H> {
    pub(super) fn register(shared: Arc<Shared<H>>, session: SessionId, started: Started) -> Self {
        let registered = shared.calls.register(&started.call, shared.bus.attend(session));
        Self {
            shared,
            session,
            started,
            connection: None,
            sink: Sink::Connection,
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
            let last = outgoing.as_ref().is_none_or(|outgoing| outgoing.last);
            if self.write(outgoing).await.is_err() {
                self.started.call.abort.cancel();
                return;
            }
            if last {
                return;
            }
        }
    }

    async fn next(&mut self) -> Option<Outgoing> {
        let call = Arc::clone(&self.started.call);
        loop {
            tokio::select! {
                biased;
                outgoing = self.started.outbox.next() => return outgoing,
                () = call.detach.cancelled(), if self.connection.is_some() => {
                    self.connection = None;
                }
                // The client comes back for the rest with a new token.
                () = call.lease.over(), if self.connection.is_some() => {
                    self.connection = None;
                }
                // What a revoked grant set off ends with it.
                () = call.lease.revoked(), if !call.abort.is_cancelled() => {
                    call.abort.cancel();
                }
            }
        }
    }

    /// The last event of a call that gave no answer. One that its client cancelled must not have
    /// any ("Cancellation"); of one that this server ended the client is told.
    fn epitaph(&self) -> Bytes {
        let call = &self.started.call;
        match &call.request {
            Some(request) if !call.was_cancelled() => {
                said(request, "the server ended the call before it was done")
            }
            _ => Bytes::new(),
        }
    }

    async fn write(&mut self, outgoing: Option<Outgoing>) -> Result<(), Over> {
        let (data, question, last) = match outgoing {
            Some(Outgoing { message, last }) => {
                let question = match &message {
                    JsonRpcMessage::Request(request) => Some(request.id.clone()),
                    JsonRpcMessage::Response(_)
                    | JsonRpcMessage::Notification(_)
                    | JsonRpcMessage::Error(_) => None,
                };
                (to_bytes(&message), question, last)
            }
            None => (self.epitaph(), None, true),
        };
        self.seq += 1;
        match &mut self.sink {
            Sink::Log(_) => self.log(data, question, last).await,
            Sink::Connection => {
                self.send(None, data).await;
                Ok(())
            }
            Sink::Standalone => {
                let event = CallEvent { seq: self.seq, data, last };
                let Self { shared, session, started, .. } = self;
                aloud::say(shared, *session, &started.call, event, question.as_ref()).await
            }
        }
    }

    async fn log(
        &mut self,
        data: Bytes,
        question: Option<RequestId>,
        last: bool,
    ) -> Result<(), Over> {
        let Self { shared, session, started, sink: Sink::Log(tail), seq, .. } = self else {
            return Ok(());
        };
        let call = &started.call;
        let kept = match &call.request {
            Some(request) if last && data.len() > shared.config.max_kept_answer => {
                said(request, "the answer was too large to be kept for a client that was cut off")
            }
            _ => data.clone(),
        };
        let event = CallEvent { seq: *seq, data: kept, last };
        let logged = tail.append(shared, *session, call.id, event).await;
        let id = EventId::Call { call: call.id, seq: *seq, last, request: call.request.clone() };
        let mut id = Some(id.to_string());
        match logged {
            Logged::Kept { reader } => self.ring(reader).await,
            Logged::Full { reader } => {
                // Nobody can be asked: not now, and not when the client comes back.
                if let (Some(question), None) = (&question, &self.connection) {
                    call.give_up(question, "the client's log is full");
                }
                self.ring(reader).await;
            }
            Logged::Over => return Err(Over),
            Logged::Lost(error) => {
                tracing::warn!(event = "call.not_resumable", session = %self.session,
                    call = %self.started.call.id, %error, "a call goes on without its log");
                self.sink = Sink::Connection;
                id = None;
            }
        }
        self.send(id, data).await;
        Ok(())
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
            Some(reader) if reader == self.shared.instance => {
                self.shared.readers.wake(self.session, call);
            }
            Some(reader) => {
                let bell = Bell::CallGrew(self.session, call);
                if let Err(error) = self.shared.bus.ring(Ring::One(reader), bell).await {
                    tracing::warn!(event = "bus.unavailable", %error, "a reader was not rung");
                }
            }
        }
    }
}

/// What a client is told of a call in place of its answer.
pub(super) fn said(request: &RequestId, reason: &'static str) -> Bytes {
    let error = ErrorData::internal_error(reason, None);
    to_bytes(&ServerJsonRpcMessage::error(error, Some(request.clone())))
}
