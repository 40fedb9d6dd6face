//! News for listeners: a list or a resource is no longer what it was.

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::{error::StateError, origin::User};

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

/// Whom a change concerns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Everybody.
    Everyone,
    /// One user, with whatever client. Nobody else hears of it.
    User(User),
}

impl Audience {
    /// Whether it is a user's business.
    pub fn includes(&self, user: &User) -> bool {
        match self {
            Self::Everyone => true,
            Self::User(one) => one == user,
        }
    }
}

/// A change, and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Announcement {
    /// What changed.
    pub change: Change,
    /// Who is told.
    pub audience: Audience,
}

/// A change that concerns everybody.
impl From<Change> for Announcement {
    fn from(change: Change) -> Self {
        Self { change, audience: Audience::Everyone }
    }
}

/// Carries changes to every listener they concern, wherever it is connected.
#[async_trait]
pub trait Changes: Send + Sync + 'static {
    /// Tells every listener of the audience. A change may arrive more than once, and never out of
    /// thin air.
    async fn publish(&self, announcement: Announcement) -> Result<(), StateError>;

    /// What is published from now on, to whomever: a listener is told what concerns its user. A
    /// receiver that lags is taken to have missed anything, and one that is closed ends its
    /// listener.
    fn subscribe(&self) -> broadcast::Receiver<Announcement>;
}

/// Changes within this process.
#[derive(Clone, Debug)]
pub struct LocalChanges(broadcast::Sender<Announcement>);

impl LocalChanges {
    /// A channel nobody listens to yet.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Tells every listener of this process that it concerns.
    pub fn tell(&self, announcement: impl Into<Announcement>) {
        // The only error is that nobody listens.
        let _ = self.0.send(announcement.into());
    }
}

impl Default for LocalChanges {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Changes for LocalChanges {
    async fn publish(&self, announcement: Announcement) -> Result<(), StateError> {
        self.tell(announcement);
        Ok(())
    }

    fn subscribe(&self) -> broadcast::Receiver<Announcement> {
        self.0.subscribe()
    }
}
