//! What the features need of changes, supplied by the transport's feed.

use async_trait::async_trait;
use mcp_everything_features::{Change, Changes, LocalChanges, StateError};
use mcp_everything_store as store;
use mcp_everything_transport::ChangeFeed;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Changes of all instances: published by the feed, and heard from it.
pub(crate) struct FleetChanges {
    feed: ChangeFeed,
    heard: LocalChanges,
}

impl FleetChanges {
    /// Begins to listen to the feed, for as long as there is one.
    pub(crate) fn start(feed: ChangeFeed) -> Self {
        let heard = LocalChanges::new();
        tokio::spawn(pass_on(feed.subscribe(), heard.clone()));
        Self { feed, heard }
    }
}

async fn pass_on(mut changes: Receiver<store::Change>, heard: LocalChanges) {
    loop {
        let change = match changes.recv().await {
            Ok(change) => to_features(change),
            Err(RecvError::Lagged(_)) => Change::Missed,
            Err(RecvError::Closed) => return,
        };
        heard.tell(change);
    }
}

#[async_trait]
impl Changes for FleetChanges {
    async fn publish(&self, change: Change) -> Result<(), StateError> {
        self.feed.publish(from_features(change)).await.map_err(|error| {
            tracing::warn!(event = "store.unavailable", %error, "a change could not be recorded");
            StateError::Unavailable
        })
    }

    fn subscribe(&self) -> Receiver<Change> {
        self.heard.subscribe()
    }
}

fn to_features(change: store::Change) -> Change {
    match change {
        store::Change::Tools => Change::Tools,
        store::Change::Prompts => Change::Prompts,
        store::Change::Resources => Change::Resources,
        store::Change::Resource(uri) => Change::Resource(uri),
        store::Change::Missed => Change::Missed,
    }
}

fn from_features(change: Change) -> store::Change {
    match change {
        Change::Tools => store::Change::Tools,
        Change::Prompts => store::Change::Prompts,
        Change::Resources => store::Change::Resources,
        Change::Resource(uri) => store::Change::Resource(uri),
        Change::Missed => store::Change::Missed,
    }
}
