//! The shelf of whoever sent a request.

use super::{Shelf, ShelfItem, Shelves};
use crate::{
    changes::{Announcement, Audience, Change, Changes},
    error::{CallError, StateError},
    everything::Shared,
    origin::User,
    resources::shelved,
};

/// The shelf of whoever sent a request, and the way to the user's clients.
pub(crate) struct OwnShelf<'a> {
    shelves: &'a dyn Shelves,
    changes: &'a dyn Changes,
    user: User,
}

impl<'a> OwnShelf<'a> {
    pub(crate) fn of(user: User, shared: &'a Shared) -> Self {
        Self { shelves: &*shared.shelves, changes: &*shared.changes, user }
    }

    pub(crate) async fn glance(&self) -> Result<Shelf, StateError> {
        self.shelves.shelf(&self.user).await
    }

    /// Whether a switch is on.
    pub(crate) async fn has_on(&self, switch: &str) -> Result<bool, StateError> {
        Ok(self.glance().await?.switches.contains(switch))
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Option<ShelfItem>, StateError> {
        self.shelves.get(&self.user, name).await
    }

    /// Puts the contents of a resource under a name, and tells the user's clients.
    pub(crate) async fn put(&self, name: &str, data: Vec<u8>) -> Result<(), CallError> {
        let gone = self.shelves.put(&self.user, name, data).await.map_err(told)?;
        self.tell(Change::Resources).await?;
        for name in gone.iter().map(String::as_str).chain([name]) {
            self.tell(Change::Resource(shelved::uri(name))).await?;
        }
        Ok(())
    }

    /// Turns on or off what a switch stands for, and tells the user's clients which list is
    /// another now. Says whether it is on.
    pub(crate) async fn flip(&self, switch: &str, list: Change) -> Result<bool, CallError> {
        let on = self.shelves.flip(&self.user, switch).await.map_err(told)?;
        self.tell(list).await?;
        Ok(on)
    }

    async fn tell(&self, change: Change) -> Result<(), StateError> {
        let audience = Audience::User(self.user.clone());
        self.changes.publish(Announcement { change, audience }).await
    }
}

fn told(error: StateError) -> CallError {
    match error {
        StateError::LimitReached => CallError::failed("There is no room for this on your shelf."),
        StateError::Gone | StateError::Unavailable => error.into(),
    }
}
