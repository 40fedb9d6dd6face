//! News for all listeners: a list or a resource is no longer what it was.

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::error::StateError;

/// How many changes a listener may fall behind before it is told once about everything.
const BACKLOG: usize = 64;

/// Something a client may have to read again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// The resource of this URI.
    Resource(String),
    /// Changes were lost on the way, say by a bus that was away: anything may have changed.
    Missed,
}

/// Carries changes to every listener, wherever it is connected.
#[async_trait]
pub trait Changes: Send + Sync + 'static {
    /// Tells every listener. A change may arrive more than once, and never out of thin air.
    async fn publish(&self, change: Change) -> Result<(), StateError>;

    /// What is published from now on. A receiver that lags is taken to have missed anything, and
    /// one that is closed ends its listener.
    fn subscribe(&self) -> broadcast::Receiver<Change>;
}

/// Changes within this process.
#[derive(Clone, Debug)]
pub struct LocalChanges(broadcast::Sender<Change>);

impl LocalChanges {
    /// A channel nobody listens to yet.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Tells every listener of this process.
    pub fn tell(&self, change: Change) {
        // The only error is that nobody listens.
        let _ = self.0.send(change);
    }
}

impl Default for LocalChanges {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Changes for LocalChanges {
    async fn publish(&self, change: Change) -> Result<(), StateError> {
        self.tell(change);
        Ok(())
    }

    fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}
