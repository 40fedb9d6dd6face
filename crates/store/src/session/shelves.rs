//! Shelves: what a user keeps between requests, with whatever client and session they come.
//!
//! A shelf has items, which have names, and switches, which are on or off. It lives for
//! [`Limits::shelf_ttl`](super::Limits::shelf_ttl) from when it was last looked at or changed.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{StoreError, Timestamp, User, oauth::AttemptId};

/// What is on a shelf under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShelfItem {
    /// The item itself.
    pub data: Bytes,
    /// When it was put there.
    pub at: Timestamp,
}

/// What is known of an item without looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// Its length, in bytes.
    pub bytes: usize,
    /// When it was put there.
    pub at: Timestamp,
}

/// A shelf at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// Its items by their names.
    pub items: BTreeMap<String, Shelved>,
    /// The switches that are on.
    pub switches: BTreeSet<String>,
}

/// The shelves of all users. Nobody's is ever absent: one that nothing was put on is empty.
#[async_trait]
pub trait Shelves: Send + Sync + 'static {
    /// What is on a user's shelf.
    async fn shelf(&self, user: &User) -> Result<Shelf, StoreError>;

    /// The item of this name.
    async fn on_shelf(&self, user: &User, name: &str) -> Result<Option<ShelfItem>, StoreError>;

    /// Puts an item on a user's shelf, in place of one of that name. If there is no room, what was
    /// put there longest ago makes room: its names are the answer.
    ///
    /// Fails with [`StoreError::LimitReached`] if the item is larger than a shelf.
    async fn put_on_shelf(
        &self,
        user: &User,
        name: &str,
        item: ShelfItem,
    ) -> Result<Vec<String>, StoreError>;

    /// Turns a switch on if it is off, which it is at first, and off if it is on. Says whether it
    /// is on now. The same attempt again is no second flip, unless another came
    /// between them.
    ///
    /// Fails with [`StoreError::LimitReached`] if the shelf has too many switches.
    async fn flip_on_shelf(
        &self,
        user: &User,
        switch: &str,
        attempt: &AttemptId,
    ) -> Result<bool, StoreError>;
}
