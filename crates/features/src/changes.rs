//! News for listeners: a list or a resource is no longer what it was.

mod local;

use async_trait::async_trait;

pub use self::local::{Listener, LocalChanges, Subscription};
use crate::{error::StateError, origin::User};

/// Something a client may have to read again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// What is published from now on, as [`LocalChanges`] has it.
    fn subscribe(&self) -> Subscription;
}
