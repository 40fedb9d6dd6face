//! The connections of this instance that read the logs of calls.

use std::sync::Arc;

use dashmap::DashMap;
use mcp_everything_store::{CallId, SessionId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

type Key = (SessionId, CallId);

#[derive(Default)]
pub(crate) struct Readers(Arc<DashMap<Key, Arc<Open>>>);

/// One open connection.
#[derive(Default)]
struct Open {
    grown: Notify,
    /// Its client has come back here, on another connection.
    left: CancellationToken,
}

impl Readers {
    /// Says that a call's log has grown, or another reader.
    pub(crate) fn wake(&self, session: SessionId, call: CallId) {
        if let Some(open) = self.0.get(&(session, call)) {
            open.grown.notify_one();
        }
    }

    /// Says that something happened to a session.
    pub(crate) fn wake_session(&self, session: SessionId) {
        self.0.iter().filter(|open| open.key().0 == session).for_each(|open| {
            open.grown.notify_one();
        });
    }

    pub(crate) fn wake_all(&self) {
        self.0.iter().for_each(|open| open.grown.notify_one());
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The sessions whose calls are read here; one with several is named as often.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.0.iter().map(|open| open.key().0).collect()
    }

    /// A client has one connection per call: the newest. The one before it ends.
    pub(super) fn register(&self, session: SessionId, call: CallId) -> Reader {
        let (key, open) = ((session, call), Arc::<Open>::default());
        if let Some(before) = self.0.insert(key, Arc::clone(&open)) {
            before.left.cancel();
        }
        Reader { readers: Arc::clone(&self.0), key, open }
    }
}

pub(super) struct Reader {
    readers: Arc<DashMap<Key, Arc<Open>>>,
    key: Key,
    open: Arc<Open>,
}

impl Reader {
    /// Returns when the log may have grown since this last returned.
    pub(super) async fn grown(&self) {
        self.open.grown.notified().await;
    }

    pub(super) async fn left(&self) {
        self.open.left.cancelled().await;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.readers.remove_if(&self.key, |_, open| Arc::ptr_eq(open, &self.open));
    }
}
