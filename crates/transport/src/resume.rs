//! The rest of a call's stream, for a client that was cut off from it.
//!
//! It is read from the call's log, so any instance can serve it, whichever runs the call.

use std::{collections::VecDeque, pin::pin, sync::Arc};

use axum::response::Response;
use dashmap::DashMap;
use futures::stream;
use mcp_everything_store::{Bell, CallEvent, CallId, CallLog, Ring, SessionId};
use rmcp::{
    ServerHandler,
    model::{ErrorData, RequestId, ServerJsonRpcMessage},
};
use tokio::sync::Notify;

use crate::{
    call::EventId,
    http::{Refusal, SseEvent, event_stream},
    scope::to_bytes,
    shared::Shared,
};

/// Where a client was cut off.
pub(crate) struct Cut {
    pub(crate) call: CallId,
    pub(crate) seq: u64,
    /// What the client called the request, as its event id says.
    pub(crate) request: Option<RequestId>,
}

/// The connections of this instance that read a call's log.
#[derive(Default)]
pub(crate) struct Readers(Arc<DashMap<CallId, Arc<Notify>>>);

impl Readers {
    /// Says that a call's log has grown.
    pub(crate) fn wake(&self, call: CallId) {
        if let Some(grown) = self.0.get(&call) {
            grown.notify_waiters();
        }
    }

    fn register(&self, call: CallId) -> Reader {
        let grown = Arc::clone(&self.0.entry(call).or_default());
        Reader { readers: Arc::clone(&self.0), call, grown }
    }
}

struct Reader {
    readers: Arc<DashMap<CallId, Arc<Notify>>>,
    call: CallId,
    grown: Arc<Notify>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        // This one's and the registry's own are the last two.
        self.readers.remove_if(&self.call, |_, grown| Arc::strong_count(grown) <= 2);
    }
}

pub(crate) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    session: SessionId,
    cut: Cut,
) -> Result<Response, Refusal> {
    // Registered before the log is read: what comes after the reading wakes it.
    let reader = shared.readers.register(cut.call);
    let log = shared.store.read_call(session, cut.call, cut.seq, Some(&shared.instance)).await;
    let keep_alive = shared.config.keep_alive;
    let Some(log) = log.map_err(|error| Refusal::store(&error, None))? else {
        return lost(cut, keep_alive);
    };
    if log.ended && log.events.iter().all(|event| event.data.is_empty()) {
        let reason = "nothing more comes on that stream";
        return Err(Refusal::NothingToResume { reason });
    }
    tracing::info!(event = "stream.resumed", %session, call = %cut.call, after = cut.seq,
        "a client came back for the rest of a stream");
    detach(shared, session, cut.call, &log).await;
    let id =
        EventId::Call { call: cut.call, seq: cut.seq, last: false, request: cut.request.clone() };
    let mut queue =
        VecDeque::from([SseEvent::Priming { id: id.to_string(), retry: shared.config.retry }]);
    if log.lost {
        queue.push_back(SseEvent::Comment("events are missing: the log was full"));
    }
    let shared = Arc::clone(shared);
    let mut rest = Rest { shared, session, cut, reader, queue, ended: false };
    rest.take(log);
    let events = stream::unfold(rest, |mut rest| async move { Some((rest.next().await?, rest)) });
    Ok(event_stream(events, keep_alive))
}

/// A call nothing is kept of: its instance died before it was opened, or its time is over. A
/// client that is told nothing would wait for its answer.
fn lost(cut: Cut, keep_alive: std::time::Duration) -> Result<Response, Refusal> {
    let Some(request) = cut.request else {
        return Err(Refusal::NothingToResume { reason: "that stream is not known" });
    };
    let error = ErrorData::internal_error("the call is lost", None);
    let data = to_bytes(&ServerJsonRpcMessage::error(error, Some(request.clone())));
    let last =
        EventId::Call { call: cut.call, seq: cut.seq + 1, last: true, request: Some(request) };
    let event = SseEvent::Message { id: Some(last.to_string()), data };
    Ok(event_stream(stream::iter([event]), keep_alive))
}

/// The connection the call began on gets nothing more: its client has left it.
async fn detach<H>(shared: &Shared<H>, session: SessionId, call: CallId, log: &CallLog) {
    if let Some(call) = shared.calls.get(session, call) {
        call.detach.cancel();
    } else if !log.ended && log.instance != shared.instance {
        let bell = Bell::Resumed(session, call);
        if let Err(error) = shared.bus.ring(Ring::One(log.instance.clone()), bell).await {
            tracing::warn!(event = "bus.unavailable", %error, "an executor was not rung");
        }
    }
}

struct Rest<H> {
    shared: Arc<Shared<H>>,
    session: SessionId,
    cut: Cut,
    reader: Reader,
    queue: VecDeque<SseEvent>,
    ended: bool,
}

impl<H: ServerHandler> Rest<H> {
    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            if self.ended || self.shared.shutdown.is_cancelled() {
                return None;
            }
            self.read().await?;
        }
    }

    /// Reads on, and waits for more if there is none.
    async fn read(&mut self) -> Option<()> {
        let grown = Arc::clone(&self.reader.grown);
        let mut grown = pin!(grown.notified());
        grown.as_mut().enable();
        let store = &self.shared.store;
        match store.read_call(self.session, self.cut.call, self.cut.seq, None).await {
            Ok(Some(log)) => self.take(log),
            // The session is gone, or the log.
            Ok(None) => return None,
            Err(error) => {
                tracing::debug!(event = "store.unavailable", %error, "a log is read again later");
            }
        }
        if self.queue.is_empty() && !self.ended {
            let shutdown = self.shared.shutdown.clone();
            tokio::select! {
                () = grown => {}
                () = shutdown.cancelled() => return None,
                // A bell may be lost.
                () = tokio::time::sleep(self.shared.config.keep_alive) => {}
            }
        }
        Some(())
    }

    fn take(&mut self, log: CallLog) {
        self.ended = log.ended;
        for CallEvent { seq, data, last } in log.events {
            self.cut.seq = seq;
            if !data.is_empty() {
                let request = self.cut.request.clone();
                let id = EventId::Call { call: self.cut.call, seq, last, request };
                self.queue.push_back(SseEvent::Message { id: Some(id.to_string()), data });
            }
        }
    }
}
