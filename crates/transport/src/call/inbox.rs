//! What a client sends a call while it runs. Most calls are sent nothing.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rmcp::model::ClientJsonRpcMessage;
use tokio::sync::Notify;

/// Messages in order. Boxed: a message is large.
#[derive(Default)]
pub(super) struct Inbox {
    messages: Mutex<VecDeque<Box<ClientJsonRpcMessage>>>,
    came: Notify,
}

impl Inbox {
    pub(super) fn put(&self, message: ClientJsonRpcMessage) {
        self.lock().push_back(Box::new(message));
        self.came.notify_one();
    }

    /// The next message. Nothing is lost if the future is dropped.
    pub(super) async fn next(&self) -> ClientJsonRpcMessage {
        loop {
            if let Some(message) = self.lock().pop_front() {
                return *message;
            }
            self.came.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Box<ClientJsonRpcMessage>>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use rmcp::model::{ClientResult, JsonRpcMessage, RequestId};

    use super::*;

    fn answer(id: i64) -> ClientJsonRpcMessage {
        ClientJsonRpcMessage::response(ClientResult::empty(()), RequestId::Number(id))
    }

    fn id(message: ClientJsonRpcMessage) -> RequestId {
        let JsonRpcMessage::Response(response) = message else { unreachable!("it is a response") };
        response.id
    }

    #[tokio::test]
    async fn messages_come_in_order_before_and_after_they_are_waited_for() {
        let inbox = Inbox::default();
        for id in 0..2 {
            inbox.put(answer(id));
        }
        assert_eq!(id(inbox.next().await), RequestId::Number(0));
        assert_eq!(id(inbox.next().await), RequestId::Number(1));
        assert!(inbox.next().now_or_never().is_none());
        let (next, ()) = tokio::join!(inbox.next(), async { inbox.put(answer(2)) });
        assert_eq!(id(next), RequestId::Number(2));
        // Whoever waited and went away has taken nothing.
        assert!(inbox.next().now_or_never().is_none());
        inbox.put(answer(3));
        assert_eq!(id(inbox.next().await), RequestId::Number(3));
    }
}
