//! How much there may be.

use std::time::Duration;

use super::{RedisOAuth, millis, script};
use crate::StoreError;

/// A kind of record of which there may be a number.
pub(super) struct Count {
    /// The sorted set that counts them.
    pub(super) index: &'static str,
    /// For the error.
    pub(super) what: &'static str,
    pub(super) limit: usize,
}

impl Count {
    /// Counts `name` in if there is room. What is kept at `key` already needs none.
    pub(super) async fn enter(
        &self,
        store: &RedisOAuth,
        name: &str,
        key: &str,
        life: Duration,
    ) -> Result<(), StoreError> {
        let mut room = script::call(&script::OAUTH_ROOM, self.index);
        room.arg(name).arg(millis(life)).arg(self.limit);
        if store.ask(self.index, &room).await? || exists(store, key).await? {
            return Ok(());
        }
        Err(StoreError::LimitReached { what: self.what, limit: self.limit })
    }

    /// Counts `name` for at least `life` from now.
    pub(super) async fn prolong(
        &self,
        store: &RedisOAuth,
        name: &str,
        life: Duration,
    ) -> Result<(), StoreError> {
        let mut longer = script::call(&script::OAUTH_LONGER, self.index);
        longer.arg(name).arg(millis(life));
        store.ask(self.index, &longer).await
    }
}

pub(super) async fn exists(store: &RedisOAuth, key: &str) -> Result<bool, StoreError> {
    store.ask(key, redis::cmd("EXISTS").arg(key)).await
}
