//! What belongs to one user and changes while the server runs.
//!
//! Whoever embeds this crate keeps it, see [`Shelves`]; here it is shown and changed.

mod local;
mod own;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

pub use self::local::LocalShelves;
pub(crate) use self::own::OwnShelf;
use crate::{error::StateError, origin::User};

/// Keeps what users put down. Each has a shelf, and nobody else learns what is on it.
#[async_trait]
pub trait Shelves: Send + Sync + 'static {
    /// What is on a user's shelf.
    async fn shelf(&self, user: &User) -> Result<Shelf, StateError>;

    /// What is under a name.
    async fn get(&self, user: &User, name: &str) -> Result<Option<ShelfItem>, StateError>;

    /// Puts something under a name, now. Says what had to make room for it, by their names.
    async fn put(&self, user: &User, name: &str, data: Vec<u8>) -> Result<Vec<String>, StateError>;

    /// Turns a switch on if it is off, which it is at first, and off if it is on. Says whether it
    /// is on now.
    async fn flip(&self, user: &User, switch: &str) -> Result<bool, StateError>;
}

/// Something on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShelfItem {
    /// What it is.
    pub data: Vec<u8>,
    /// When it was put there, in milliseconds since the Unix epoch.
    pub at: u64,
}

/// What is known of an item without looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// Its length, in bytes.
    pub bytes: usize,
    /// When it was put there, in milliseconds since the Unix epoch.
    pub at: u64,
}

/// A shelf at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// The items by their names.
    pub items: BTreeMap<String, Shelved>,
    /// The switches that are on.
    pub switches: BTreeSet<String>,
}
