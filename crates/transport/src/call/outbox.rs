//! What a call says, in order, on its way out.

use futures::StreamExt as _;
use rmcp::model::{JsonRpcMessage, ServerJsonRpcMessage};

use crate::{
    faults::Fault,
    queue::{Receiver, Sender, queue},
};

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
pub(crate) struct Outbox(Receiver<Outgoing>);

impl Outbox {
    /// An outbox, and what puts something into it.
    pub(super) fn new() -> (Self, Sender<Outgoing>) {
        let (outgoing, messages) = queue(ROOM);
        (Self(messages), outgoing)
    }

    /// The next message, `None` when the call is over. Nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> Option<Outgoing> {
        self.0.next().await
    }
}
