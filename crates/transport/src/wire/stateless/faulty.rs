//! Calls of tools that may break the protocol, where rmcp serves them.
//!
//! What such a tool asks for comes beside rmcp's own answer, which is the last word of a call that
//! has said something else before.

use std::{collections::VecDeque, pin::Pin};

use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http_body_util::BodyExt as _;
use rmcp::model::RequestId;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use crate::{
    Config, Delivery,
    call::{CUT_SHORT, Outgoing, said},
    faults::{Deliveries, Fault, nothing},
    http::{SseEvent, event_stream},
    lease::Lease,
};

/// rmcp's answer, when it comes. Dropping it cancels the call.
pub(super) type Served = Pin<Box<dyn Future<Output = Response> + Send>>;

/// For how long what a faulty call says may be heard.
pub(super) struct Until {
    pub(super) lease: Lease,
    pub(super) cut: CancellationToken,
    /// Of the request, for its last word when it is cut.
    pub(super) id: Option<RequestId>,
    pub(super) _request: TaskTrackerToken,
}

/// What becomes of the call.
pub(super) enum Became {
    /// rmcp's answer came first, and is to be treated like any other.
    Usual(Response, Until),
    /// The tool answered in its own way.
    Faulty(Response),
}

/// Serves a call whose handler has the other end of `faults`.
pub(super) async fn serve(
    mut served: Served,
    mut faults: UnboundedReceiver<Outgoing>,
    config: &Config,
    until: Until,
) -> Became {
    let first = tokio::select! {
        biased;
        // None: the handler is gone, and rmcp says the rest.
        Some(first) = faults.recv() => first,
        usual = &mut served => match faults.try_recv() {
            // What was said before the answer may come to light with it.
            Ok(first) => {
                served = Box::pin(std::future::ready(usual));
                first
            }
            Err(_) => return Became::Usual(usual, until),
        },
    };
    let mut saying = Saying {
        served: Some(served),
        faults,
        queue: VecDeque::new(),
        deliveries: Deliveries::default(),
        until,
    };
    match first {
        Outgoing::Fault(Fault::Respond(response)) => return Became::Faulty(*response),
        // Nobody who is killed says anything first.
        Outgoing::Fault(Fault::Die) => return Became::Faulty(nothing()),
        first => saying.take(first),
    }
    let events =
        stream::unfold(saying, |mut saying| async move { Some((saying.next().await?, saying)) });
    Became::Faulty(event_stream(events, config.keep_alive))
}

struct Saying {
    /// `None` when everything is said.
    served: Option<Served>,
    faults: UnboundedReceiver<Outgoing>,
    queue: VecDeque<SseEvent>,
    deliveries: Deliveries<SseEvent>,
    until: Until,
}

impl Saying {
    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            let served = self.served.as_mut()?;
            tokio::select! {
                biased;
                Some(said) = self.faults.recv() => self.take(said),
                usual = served => {
                    // What was said before the answer may come to light with it.
                    if let Ok(said) = self.faults.try_recv() {
                        self.served = Some(Box::pin(std::future::ready(usual)));
                        self.take(said);
                        continue;
                    }
                    self.served = None;
                    let answer = usual.into_body().collect().await;
                    let data = answer.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                    self.say(data, Delivery::Once);
                }
                () = self.until.lease.over() => return None,
                () = self.until.cut.cancelled() => {
                    self.served = None;
                    let id = self.until.id.as_ref()?;
                    self.queue.push_back(SseEvent::Message { id: None, data: said(id, CUT_SHORT) });
                }
            }
        }
    }

    fn take(&mut self, said: Outgoing) {
        let Outgoing::Fault(fault) = said else { return };
        match fault {
            // There are headers by now.
            Fault::Respond(_) => {}
            Fault::Event { data, delivery, last } => {
                self.say(data, delivery);
                if last {
                    self.served = None;
                }
            }
            Fault::Write(bytes) => self.queue.push_back(SseEvent::Raw(bytes)),
            Fault::Silence => self.queue.push_back(SseEvent::Silence),
            Fault::Close(retry) => {
                self.queue.push_back(SseEvent::Retry(retry));
                self.served = None;
            }
            Fault::Break | Fault::Die => {
                self.queue.push_back(SseEvent::Break);
                self.served = None;
            }
        }
    }

    fn say(&mut self, data: Bytes, delivery: Delivery) {
        if data.is_empty() {
            return;
        }
        let event = SseEvent::Message { id: None, data };
        match delivery {
            Delivery::Half => {
                self.queue.extend(event.half());
                self.served = None;
            }
            delivery => self.queue.extend(self.deliveries.of(event, delivery)),
        }
    }
}
