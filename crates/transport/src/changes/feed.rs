//! Where changes go in, and where this process hears of them.

use std::sync::Arc;

use mcp_everything_store::{Announcement, Bell, Bus, Ring, SessionStore, StoreError};
use tokio::sync::broadcast;

/// How many changes a receiver may fall behind before it has missed some.
const BACKLOG: usize = 256;

/// The news of what changed: whoever publishes a change tells the clients of all instances.
///
/// Sessions are told on their standalone stream, now or when they next open one. Listeners of
/// revisions without sessions (`subscriptions/listen`) are their handler's business, which hears of
/// changes by [`subscribe`](Self::subscribe). All handlers of a process share one feed, and the
/// [`Endpoint`](crate::Endpoint) that serves them is started with it.
#[derive(Clone)]
pub struct ChangeFeed {
    store: Arc<dyn SessionStore>,
    bus: Arc<dyn Bus>,
    heard: broadcast::Sender<Announcement>,
}

impl ChangeFeed {
    /// The feed of the instances that share a store and a bus.
    pub fn new(store: Arc<dyn SessionStore>, bus: Arc<dyn Bus>) -> Self {
        Self { store, bus, heard: broadcast::Sender::new(BACKLOG) }
    }

    /// Tells the clients of all instances of a change, those of one user if it concerns nobody
    /// else: the lists to all of them, a resource to whom subscribed to it. When this returns, the
    /// change is not lost any more; if it fails, nobody knows whether somebody will be told.
    pub async fn publish(&self, change: impl Into<Announcement>) -> Result<(), StoreError> {
        self.store.record(&change.into()).await?;
        if let Err(error) = self.bus.ring(Ring::All, Bell::Changed).await {
            // Instances look for themselves now and then.
            tracing::debug!(event = "bus.unavailable", %error, "a change is told later");
        }
        Ok(())
    }

    /// The changes that this process hears of from now on, wherever they were published; a change
    /// may come twice. Whoever passes them on minds whom each concerns. A receiver that lags has
    /// missed any, the same as after [`Change::Missed`](mcp_everything_store::Change::Missed).
    pub fn subscribe(&self) -> broadcast::Receiver<Announcement> {
        self.heard.subscribe()
    }

    pub(super) fn hear(&self, change: Announcement) {
        // The only error is that nobody listens.
        let _ = self.heard.send(change);
    }
}
