//! Where changes go in, and where this process hears of them.

use std::sync::{Arc, Mutex, PoisonError};

use mcp_everything_store::{Announcement, Bell, Bus, Ring, SessionStore, StoreError};

type Hook = Arc<dyn Fn(&Announcement) + Send + Sync>;

/// The news of what changed: whoever publishes a change tells the clients of all instances.
///
/// Sessions are told on their standalone stream, now or when they next open one. Listeners of
/// revisions without sessions (`subscriptions/listen`) are their handler's business, which hears of
/// changes by [`on_change`](Self::on_change). All handlers of a process share one feed, and the
/// [`Endpoint`](crate::Endpoint) that serves them is started with it.
#[derive(Clone)]
pub struct ChangeFeed {
    store: Arc<dyn SessionStore>,
    bus: Arc<dyn Bus>,
    hooks: Arc<Mutex<Vec<Hook>>>,
}

impl ChangeFeed {
    /// The feed of the instances that share a store and a bus.
    pub fn new(store: Arc<dyn SessionStore>, bus: Arc<dyn Bus>) -> Self {
        Self { store, bus, hooks: Arc::default() }
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

    /// Calls this with each change that this process hears of from now on, wherever it was
    /// published; a change may come twice. Whoever passes them on minds whom each concerns, and
    /// must not keep those of one user in a place that fills up for others. After
    /// [`Change::Missed`](mcp_everything_store::Change::Missed) anything may have changed.
    ///
    /// It is called in the task that tells everybody, and must not wait for anything.
    pub fn on_change(&self, hook: impl Fn(&Announcement) + Send + Sync + 'static) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(hook));
    }

    pub(super) fn hear(&self, changes: impl Iterator<Item = Announcement>) {
        let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for change in changes {
            for hook in &hooks {
                hook(&change);
            }
        }
    }
}
