//! What a call's writer writes next, and what a handler asks of it that breaks the protocol.

use bytes::Bytes;
use mcp_everything_store::CallEvent;
use rmcp::{
    ServerHandler,
    model::{JsonRpcMessage, RequestId, ServerJsonRpcMessage},
};

use super::{Over, Pump};
use crate::{
    call::aloud,
    faults::{Deliveries, Delivery, Fault},
    http::SseEvent,
    scope::to_bytes,
};

/// What is written next.
pub(super) struct Said {
    pub(super) data: Bytes,
    /// Its id, if it asks the client something.
    pub(super) question: Option<RequestId>,
    pub(super) last: bool,
}

impl Said {
    pub(super) fn message(message: &ServerJsonRpcMessage, last: bool) -> Self {
        let question = match message {
            JsonRpcMessage::Request(request) => Some(request.id.clone()),
            JsonRpcMessage::Response(_)
            | JsonRpcMessage::Notification(_)
            | JsonRpcMessage::Error(_) => None,
        };
        Self { data: to_bytes(message), question, last }
    }
}

/// What a handler has asked for that is not done yet.
#[derive(Default)]
pub(super) struct Misconduct {
    /// Of the event at hand.
    delivery: Delivery,
    connection: Deliveries<SseEvent>,
    standalone: Deliveries<Bytes>,
    /// The call is to be lost as if this instance had been killed.
    pub(super) dies: bool,
}

impl Misconduct {
    /// What is sent to the connection for an event.
    pub(super) fn deliveries(&mut self, event: SseEvent) -> Vec<SseEvent> {
        match std::mem::take(&mut self.delivery) {
            Delivery::Half => event.half().into(),
            delivery => self.connection.of(event, delivery),
        }
    }
}

impl<H: ServerHandler> Pump<H> {
    /// Does what a handler asks for that breaks the protocol. An event goes the way of all others.
    pub(super) async fn err(&mut self, fault: Fault) -> Option<Said> {
        match fault {
            Fault::Event { data, delivery, last } => {
                self.misconduct.delivery = delivery;
                return Some(Said { data, question: None, last });
            }
            // There are headers by now.
            Fault::Respond(_) => {}
            Fault::Write(bytes) => self.put(SseEvent::Raw(bytes)).await,
            Fault::Silence => self.put(SseEvent::Silence).await,
            Fault::Close(retry) => {
                self.put(SseEvent::Retry(retry)).await;
                self.connection = None;
            }
            Fault::Break => self.put(SseEvent::Break).await,
            Fault::Die => self.misconduct.dies = true,
        }
        None
    }

    /// Says an event on the session's stream, which the call shares with others: nothing of it can
    /// be broken off there.
    pub(super) async fn say(&mut self, said: Said) -> Result<(), Over> {
        let Said { data, question, last } = said;
        let delivery = std::mem::take(&mut self.misconduct.delivery);
        let mut all = self.misconduct.standalone.of(data, delivery).into_iter().peekable();
        while let Some(data) = all.next() {
            let more = all.peek().is_some();
            let event = CallEvent { seq: self.seq, data, last: last && !more };
            let Self { shared, session, started, .. } = self;
            aloud::say(shared, *session, &started.call, event, question.as_ref()).await?;
            self.seq += u64::from(more);
        }
        Ok(())
    }
}
