//! What a call says, in order, on its way out.

use std::sync::Arc;

use rmcp::model::{JsonRpcMessage, ServerJsonRpcMessage};
use tokio::sync::{Semaphore, mpsc};

use crate::faults::Fault;

/// How many messages of one call may wait to be written before its handler has to.
const ROOM: usize = 64;

/// Something that a call says. Boxed: a message is large, and few wait at a time.
pub(crate) enum Outgoing {
    Message {
        message: Box<ServerJsonRpcMessage>,
        last: bool,
    },
    /// What no message is.
    Fault(Fault),
}

impl Outgoing {
    pub(super) fn message(message: ServerJsonRpcMessage) -> Self {
        let last = matches!(message, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_));
        Self::Message { message: Box::new(message), last }
    }
}

/// The messages of a call, in order.
pub(crate) struct Outbox {
    messages: mpsc::UnboundedReceiver<Outgoing>,
    room: Arc<Semaphore>,
}

impl Outbox {
    /// An outbox, what puts something into it, and the permits for messages that may wait in it.
    pub(super) fn new() -> (Self, mpsc::UnboundedSender<Outgoing>, Arc<Semaphore>) {
        let (outgoing, messages) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(ROOM));
        (Self { messages, room: Arc::clone(&room) }, outgoing, room)
    }

    /// The next message, `None` when the call is over. Nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> Option<Outgoing> {
        let outgoing = self.messages.recv().await?;
        if let Outgoing::Message { .. } = outgoing {
            self.room.add_permits(1);
        }
        Some(outgoing)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        // Nobody reads any more: whoever waits for room goes on.
        self.room.close();
    }
}
