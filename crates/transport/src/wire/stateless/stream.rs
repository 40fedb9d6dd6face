//! The stream of a call that says more than its answer. It is no task: it is what its connection
//! polls, and when it is dropped the call is cancelled ("Closing the SSE response stream MUST be
//! treated by the server as cancellation of that request").

use std::{collections::VecDeque, sync::Arc};

use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use crate::{
    Delivery,
    call::{CUT_SHORT, Outgoing, Started, said},
    faults::{Deliveries, Fault},
    http::{SseEvent, event_stream},
    scope::to_bytes,
    shared::Shared,
};

/// The events of a call. It lasts as long as its answer takes: a client whose token expires has none
/// with which it could come back for the rest.
pub(super) fn of_call<H>(shared: &Shared<H>, started: Started, first: Outgoing) -> Response {
    let until = Until::Revoked { cut: shared.cut.clone() };
    respond(shared, started, first, until, shared.requests.token())
}

/// The events of a subscription. Who listens, listens elsewhere with a new token; and when its
/// instance goes away it is seen off by its handler.
pub(super) fn of_listener<H>(shared: &Shared<H>, started: Started, first: Outgoing) -> Response {
    respond(shared, started, first, Until::LeaseIsOver, shared.departures.token())
}

fn respond<H>(
    shared: &Shared<H>,
    mut started: Started,
    first: Outgoing,
    until: Until,
    open: TaskTrackerToken,
) -> Response {
    // Its connection may be slow, and does not keep it from its work.
    started.set_apart();
    let mut saying = Saying {
        started: Some(started),
        queue: VecDeque::new(),
        deliveries: Deliveries::default(),
        until,
        _open: open,
    };
    saying.take(first);
    let events =
        stream::unfold(saying, |mut saying| async move { Some((saying.next().await?, saying)) });
    event_stream(events, shared.config.keep_alive)
}

/// What ends a stream that is not over.
enum Until {
    LeaseIsOver,
    Revoked {
        /// The instance goes away, and says so: nobody can come back for the rest.
        cut: CancellationToken,
    },
}

struct Saying {
    /// `None` when everything is said.
    started: Option<Started>,
    queue: VecDeque<SseEvent>,
    deliveries: Deliveries<SseEvent>,
    until: Until,
    _open: TaskTrackerToken,
}

/// How a stream goes on.
enum Next {
    Said(Outgoing),
    Cut,
    Over,
}

impl Saying {
    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            let started = self.started.as_mut()?;
            match self.until.next(started).await {
                Next::Said(outgoing) => self.take(outgoing),
                Next::Cut => {
                    let id = self.started.take()?.call.request.clone()?;
                    self.queue
                        .push_back(SseEvent::Message { id: None, data: said(&id, CUT_SHORT) });
                }
                Next::Over => return None,
            }
        }
    }

    fn take(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Message { message, last } => {
                self.say(to_bytes(&message), Delivery::Once, last);
            }
            Outgoing::Fault(fault) => self.err(fault),
        }
    }

    fn err(&mut self, fault: Fault) {
        match fault {
            // There are headers by now.
            Fault::Respond(_) => {}
            Fault::Event { data, delivery, last } => self.say(data, delivery, last),
            Fault::Write(bytes) => self.queue.push_back(SseEvent::Raw(bytes)),
            Fault::Silence => self.queue.push_back(SseEvent::Silence),
            Fault::Close(retry) => {
                self.queue.push_back(SseEvent::Retry(retry));
                self.started = None;
            }
            Fault::Break | Fault::Die => {
                self.queue.push_back(SseEvent::Break);
                self.started = None;
            }
        }
    }

    fn say(&mut self, data: Bytes, delivery: Delivery, last: bool) {
        if last {
            self.started = None;
        }
        if data.is_empty() {
            return;
        }
        let event = SseEvent::Message { id: None, data };
        match delivery {
            Delivery::Half => {
                self.queue.extend(event.half());
                self.started = None;
            }
            delivery => self.queue.extend(self.deliveries.of(event, delivery)),
        }
    }
}

impl Until {
    async fn next(&self, started: &mut Started) -> Next {
        let call = Arc::clone(&started.call);
        // A call that ends without an answer is one that the server ended.
        let said = async { started.next().await.map_or(Next::Over, Next::Said) };
        match self {
            Self::LeaseIsOver => tokio::select! {
                biased;
                () = call.lease.over() => Next::Over,
                next = said => next,
            },
            Self::Revoked { cut } => tokio::select! {
                biased;
                () = call.lease.revoked() => Next::Over,
                next = said => next,
                () = cut.cancelled() => Next::Cut,
            },
        }
    }
}
