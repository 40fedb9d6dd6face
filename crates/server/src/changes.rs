//! What the features need of changes, supplied by the transport's feed.

use async_trait::async_trait;
use mcp_everything_features::{
    Announcement, Audience, Change, Changes, LocalChanges, StateError, Subscription, User,
};
use mcp_everything_store as store;
use mcp_everything_transport::ChangeFeed;

/// Changes of all instances: published by the feed, and heard from it.
pub(crate) struct FleetChanges {
    feed: ChangeFeed,
    heard: LocalChanges,
}

impl FleetChanges {
    /// Begins to listen to the feed.
    pub(crate) fn start(feed: ChangeFeed) -> Self {
        let heard = LocalChanges::new();
        let telling = heard.clone();
        feed.on_change(move |announced| telling.tell(to_features(announced.clone())));
        Self { feed, heard }
    }
}

#[async_trait]
impl Changes for FleetChanges {
    async fn publish(&self, announcement: Announcement) -> Result<(), StateError> {
        self.feed.publish(from_features(announcement)).await.map_err(|error| {
            tracing::warn!(event = "store.unavailable", %error, "a change could not be recorded");
            StateError::Unavailable
        })
    }

    fn subscribe(&self) -> Subscription {
        self.heard.subscribe()
    }
}

fn to_features(store::Announcement { change, audience }: store::Announcement) -> Announcement {
    let change = match change {
        store::Change::Tools => Change::Tools,
        store::Change::Prompts => Change::Prompts,
        store::Change::Resources => Change::Resources,
        store::Change::Resource(uri) => Change::Resource(uri),
        store::Change::Missed => Change::Missed,
    };
    let audience = match audience {
        store::Audience::Everyone => Audience::Everyone,
        store::Audience::User(store::User { id, issuer }) => {
            Audience::User(User { id, issuer: (!issuer.is_empty()).then_some(issuer) })
        }
    };
    Announcement { change, audience }
}

fn from_features(Announcement { change, audience }: Announcement) -> store::Announcement {
    let change = match change {
        Change::Tools => store::Change::Tools,
        Change::Prompts => store::Change::Prompts,
        Change::Resources => store::Change::Resources,
        Change::Resource(uri) => store::Change::Resource(uri),
        Change::Missed => store::Change::Missed,
    };
    let audience = match audience {
        Audience::Everyone => store::Audience::Everyone,
        Audience::User(user) => store::Audience::User(stored(&user)),
    };
    store::Announcement { change, audience }
}

/// A user, as the store knows one.
pub(crate) fn stored(User { id, issuer }: &User) -> store::User {
    store::User { id: id.clone(), issuer: issuer.clone().unwrap_or_default() }
}
