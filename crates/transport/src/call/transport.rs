//! The rmcp transport of one call: it yields the one message, takes what the handler sends, and
//! ends when the handler does.

use std::{convert::Infallible, sync::Arc};

use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, JsonRpcMessage, ServerJsonRpcMessage},
    transport::Transport,
};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Call, run::Outgoing};

pub(super) struct CallTransport {
    pub(super) first: Option<ClientJsonRpcMessage>,
    pub(super) inbox: mpsc::UnboundedReceiver<ClientJsonRpcMessage>,
    pub(super) outgoing: mpsc::UnboundedSender<Outgoing>,
    /// Permits for messages that may wait to be written.
    pub(super) room: Arc<Semaphore>,
    /// Fires when the handler has returned, answered or not: rmcp sends nothing for one that was
    /// cancelled, and would wait for more messages for ever.
    pub(super) ended: CancellationToken,
    pub(super) call: Arc<Call>,
}

impl Transport<RoleServer> for CallTransport {
    type Error = Infallible;

    /// rmcp calls this in the order the handler sent, but spawns the future: the order on the
    /// wire is decided here, and the future only waits for room.
    fn send(
        &mut self,
        mut message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + 'static {
        self.call.rename(&mut message);
        let last = matches!(message, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_));
        // Nobody may be left to take it. That is no error for the handler: a client that hangs up
        // has cancelled nothing ("Sending Messages to the Server").
        let taken = self.outgoing.send(Outgoing::Message { message, last }).is_ok();
        let room = Arc::clone(&self.room);
        async move {
            if taken
                && !last
                && let Ok(permit) = room.acquire().await
            {
                permit.forget();
            }
            Ok(())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        tokio::select! {
            biased;
            () = self.ended.cancelled() => None,
            Some(message) = self.inbox.recv() => Some(message),
        }
    }

    async fn close(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
