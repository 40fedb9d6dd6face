//! The one writer of a promoted call: it numbers the call's messages, keeps them, and sends them
//! to the connection while there is one.

mod said;

use std::{
    future,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use mcp_everything_store::{
    Bell, CallEvent, InstanceId, OpenedCall, Ring, SessionId, StoreError, witnessed,
};
use rmcp::{
    ServerHandler,
    model::{ErrorData, RequestId, ServerJsonRpcMessage},
};
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument as _;

use self::said::{Misconduct, Said};
use super::{
    EventId, Started,
    outbox::Outgoing,
    running::{Left, Registered},
    tail::{Logged, Tail},
};
use crate::{http::SseEvent, queue::Sender, scope::to_bytes, shared::Shared};

pub(super) enum Sink {
    /// The call's log.
    Log(Tail),
    /// Nothing but the connection: the store was away. Whether it knows of the call at all says
    /// `opened`; without that no answer of the client finds it.
    Connection { opened: bool },
    /// The session's standalone stream.
    Standalone,
}

pub(super) struct Pump<H> {
    shared: Arc<Shared<H>>,
    session: SessionId,
    started: Started,
    connection: Option<Sender<SseEvent>>,
    sink: Sink,
    seq: u64,
    misconduct: Misconduct,
    left: Option<Left>,
    _registered: Registered,
}

/// The call is over as far as its writer is concerned.
pub(super) struct Over;

/// What ends a call from outside, or its connection. All of it is waited for from the first message
/// to the last: calls with the same grant wait in the same lists.
struct Ends<'a> {
    /// The connection is to end, and the call goes on.
    detached: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    /// The grant was revoked.
    revoked: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    /// The handler was told to end, and has had its time to answer.
    cut_short: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
}

/// What a client is told whose call did not come to its end.
pub(crate) const CUT_SHORT: &str = "the server ended the call before it was done";
/// How long a handler that was told to end may take to answer all the same.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How often a store that was away is offered what it missed.
const CATCH_UP: Duration = Duration::from_secs(1);

impl<H: ServerHandler> Pump<H> {
    pub(super) fn register(shared: Arc<Shared<H>>, session: SessionId, started: Started) -> Self {
        let registered = shared.calls.register(&started.call, shared.bus.attend(session));
        Self {
            shared,
            session,
            started,
            connection: None,
            sink: Sink::Connection { opened: false },
            seq: 0,
            misconduct: Misconduct::default(),
            left: None,
            _registered: registered,
        }
    }

    pub(super) fn spawn(
        mut self,
        first: Option<Outgoing>,
        sink: Sink,
        connection: Option<Sender<SseEvent>>,
    ) {
        self.sink = sink;
        self.connection = connection;
        let (shared, span) = (Arc::clone(&self.shared), self.started.call.span.clone());
        // A block, as a function's future has room for its arguments twice.
        let written = async move {
            if let Err(Over) = self.until_over(first).await {
                self.started.call.abort.cancel();
            }
        };
        shared.calls.writers.spawn(witnessed(written.instrument(span)));
    }

    async fn until_over(&mut self, first: Option<Outgoing>) -> Result<(), Over> {
        let call = Arc::clone(&self.started.call);
        let mut ends = Ends {
            detached: pin!(async {
                tokio::select! {
                    () = call.detach.cancelled() => {}
                    // The client comes back for the rest with a new token.
                    () = call.lease.over() => {}
                }
            }),
            revoked: pin!(call.lease.revoked()),
            cut_short: pin!(async {
                call.abort.cancelled().await;
                sleep(LAST_WORDS).await;
            }),
        };
        let mut waiting = first;
        loop {
            let outgoing = match waiting.take() {
                Some(outgoing) => Some(outgoing),
                None => self.next(&mut ends).await?,
            };
            let said = match outgoing {
                Some(Outgoing::Message { message, last }) => Said::message(&message, last),
                // Boxed, as what is written: the room for it is needed while it is, and not always.
                Some(Outgoing::Fault(fault)) => match Box::pin(self.err(fault)).await {
                    Some(said) => said,
                    None => continue,
                },
                None => Said { data: self.epitaph(), question: None, last: true },
            };
            if said.last && self.misconduct.dies {
                self.put(SseEvent::Break).await;
                return Err(Over);
            }
            let last = said.last;
            Box::pin(self.write(said)).await?;
            if last {
                return Ok(());
            }
        }
    }

    /// The next message, `None` if the call has ended without an answer.
    async fn next(&mut self, ends: &mut Ends<'_>) -> Result<Option<Outgoing>, Over> {
        loop {
            if self.connection.is_none() {
                self.leave();
            }
            let behind = matches!(&self.sink, Sink::Log(tail) if tail.is_behind());
            let ended = self.started.call.abort.is_cancelled();
            tokio::select! {
                biased;
                outgoing = self.started.next() => return Ok(outgoing),
                () = &mut ends.detached, if self.connection.is_some() => self.connection = None,
                () = hung_up(self.connection.as_ref()) => self.connection = None,
                // What a revoked grant set off ends with it.
                () = &mut ends.revoked, if !ended => self.started.call.abort.cancel(),
                () = &mut ends.cut_short => return Ok(None),
                () = async { sleep(CATCH_UP).await }, if behind => self.catch_up().await?,
            }
        }
    }

    /// The call runs without a connection from now on. One more than its user may leave ends.
    fn leave(&mut self) {
        let call = &self.started.call;
        if self.left.is_some() || call.abort.is_cancelled() {
            return;
        }
        call.left.get_or_init(Instant::now);
        let limit = self.shared.config.left_calls_per_user;
        self.left = self.shared.calls.leave(&call.owner, limit);
        if self.left.is_none() {
            tracing::warn!(event = "call.cut", session = %self.session, call = %call.id,
                user_id = call.owner.user, limit, "a user left too many calls running");
            call.abort.cancel();
        }
    }

    /// The last event of a call that gave no answer. One that its client cancelled must not have
    /// any ("Cancellation"); of one that this server ended the client is told.
    fn epitaph(&self) -> Bytes {
        let call = &self.started.call;
        match &call.request {
            Some(request) if !call.was_cancelled() => said(request, CUT_SHORT),
            _ => Bytes::new(),
        }
    }

    async fn write(&mut self, said: Said) -> Result<(), Over> {
        let Said { data, question, last } = said;
        self.seq += 1;
        if last && matches!(self.sink, Sink::Connection { opened: true }) {
            // Whoever reads what there is of its log sees its end.
            self.sink = Sink::Log(Tail::default());
        }
        match &self.sink {
            Sink::Log(_) => self.log(data, question, last).await,
            Sink::Connection { .. } => self.send_alone(data, question).await,
            Sink::Standalone => self.say(Said { data, question, last }).await,
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
        let call = Arc::clone(&started.call);
        let kept = match &call.request {
            Some(request) if last && data.len() > shared.config.max_kept_answer => {
                said(request, "the answer was too large to be kept for a client that was cut off")
            }
            _ => data.clone(),
        };
        let event = CallEvent { seq: *seq, data: kept, last };
        let logged = tail.append(shared, *session, call.id, event).await;
        let id = EventId::Call { call: call.id, seq: *seq, last, request: call.request.clone() };
        let id = id.to_string();
        match logged {
            Logged::Kept { reader } => self.ring(reader).await,
            Logged::Full { reader } => {
                // Nobody can be asked: not now, and not when the client comes back.
                if let (Some(question), None) = (&question, &self.connection) {
                    call.give_up(question, "the client's log is full");
                }
                self.ring(reader).await;
            }
            Logged::Later if last => {
                // A client that is still there need not wait for the store.
                self.send(Some(id), data).await;
                return self.insist().await;
            }
            Logged::Later => {}
            Logged::Ended => return Err(Over),
            Logged::Gone => {
                let told = if last { data } else { self.epitaph() };
                self.send(None, told).await;
                return Err(Over);
            }
            Logged::Lost(error) => {
                self.lose(&error);
                return self.send_alone(data, question).await;
            }
        }
        self.send(Some(id), data).await;
        Ok(())
    }

    /// Sends what no log has.
    async fn send_alone(&mut self, data: Bytes, question: Option<RequestId>) -> Result<(), Over> {
        if let Some(question) = &question
            && !(self.connection.is_some() && self.is_open().await)
        {
            let reason = "the server cannot reach its store, through which an answer would come";
            self.started.call.give_up(question, reason);
            return Ok(());
        }
        self.send(None, data).await;
        Ok(())
    }

    /// Whether an answer of the client finds the call.
    async fn is_open(&mut self) -> bool {
        let Sink::Connection { opened } = &mut self.sink else { return true };
        if !*opened {
            let new = self.started.call.new_call(self.shared.instance.clone(), None);
            match self.shared.store.open_call(self.session, new).await {
                Ok(OpenedCall::Open) => *opened = true,
                Ok(OpenedCall::Cancelled) => {
                    *opened = true;
                    self.started.call.cancel();
                }
                Ok(OpenedCall::Gone) => self.started.call.abort.cancel(),
                Err(error) => {
                    tracing::debug!(event = "store.unavailable", %error, "a call is not open");
                }
            }
        }
        *opened
    }

    fn lose(&mut self, error: &StoreError) {
        tracing::warn!(event = "call.not_resumable", session = %self.session,
            call = %self.started.call.id, %error, "a call goes on without its log");
        self.sink = Sink::Connection { opened: true };
    }

    /// Gives the store what it missed while it was away.
    async fn catch_up(&mut self) -> Result<(), Over> {
        let Sink::Log(tail) = &mut self.sink else { return Ok(()) };
        let logged = tail.catch_up(&self.shared, self.session, self.started.call.id).await;
        self.settle(logged).await
    }

    async fn insist(&mut self) -> Result<(), Over> {
        let Sink::Log(tail) = &mut self.sink else { return Ok(()) };
        let logged = tail.insist(&self.shared, self.session, self.started.call.id).await;
        self.settle(logged).await
    }

    async fn settle(&mut self, logged: Logged) -> Result<(), Over> {
        match logged {
            Logged::Kept { reader } | Logged::Full { reader } => self.ring(reader).await,
            Logged::Later => {}
            Logged::Ended | Logged::Gone => return Err(Over),
            Logged::Lost(error) => self.lose(&error),
        }
        Ok(())
    }

    /// A slow reader makes this call wait, and no other; one that stays slow loses the connection
    /// and can come back for the rest.
    async fn send(&mut self, id: Option<String>, data: Bytes) {
        if !data.is_empty() {
            for event in self.misconduct.deliveries(SseEvent::Message { id, data }) {
                self.put(event).await;
            }
        }
    }

    async fn put(&mut self, event: SseEvent) {
        let Some(connection) = &self.connection else { return };
        let breaks = matches!(event, SseEvent::Break);
        let over = self.started.call.lease.is_over();
        let patience = self.shared.config.slow_reader;
        let lost = over || !matches!(timeout(patience, connection.send(event)).await, Ok(Ok(())));
        if lost || breaks {
            self.connection = None;
        }
    }

    async fn ring(&mut self, reader: Option<InstanceId>) {
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

/// Returns when the client of a connection is gone.
async fn hung_up(connection: Option<&Sender<SseEvent>>) {
    match connection {
        Some(connection) => connection.unread().await,
        None => future::pending().await,
    }
}

/// What a client is told of a call in place of its answer.
pub(crate) fn said(request: &RequestId, reason: &'static str) -> Bytes {
    let error = ErrorData::internal_error(reason, None);
    to_bytes(&ServerJsonRpcMessage::error(error, Some(request.clone())))
}
