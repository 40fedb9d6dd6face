//! The shelves of users.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dashmap::mapref::one::RefMut;

use super::MemoryStore;
use crate::{
    Shelf, ShelfItem, Shelved, Shelves, StoreError, Timestamp, User, noted, oauth::AttemptId,
    session::Switches,
};

/// A shelf that is kept.
pub(super) struct Kept {
    /// With the order in which they were put there.
    items: BTreeMap<String, (u64, ShelfItem)>,
    puts: u64,
    switches: Switches,
    pub(super) expires: Timestamp,
}

impl Kept {
    fn empty(expires: Timestamp) -> Self {
        Self { items: BTreeMap::new(), puts: 0, switches: Switches::default(), expires }
    }

    fn bytes(&self) -> usize {
        self.items.iter().map(|(name, (_, item))| name.len() + item.data.len()).sum()
    }

    fn oldest(&self) -> Option<String> {
        let oldest = self.items.iter().min_by_key(|(_, (order, _))| *order);
        oldest.map(|(name, _)| name.clone())
    }
}

impl MemoryStore {
    /// A shelf that something is on; its day starts anew.
    fn shelf_of(&self, user: &User) -> Option<RefMut<'_, User, Kept>> {
        let now = self.clock.now();
        let mut kept = self.shelves.get_mut(user).filter(|kept| kept.expires > now)?;
        kept.expires = now + self.limits.shelf_ttl;
        Some(kept)
    }

    /// A shelf that something is about to be on.
    fn shelf_for(&self, user: &User) -> Result<RefMut<'_, User, Kept>, StoreError> {
        if let Some(kept) = self.shelf_of(user) {
            return Ok(kept);
        }
        let (now, limit) = (self.clock.now(), self.limits.shelves);
        self.shelves.retain(|_, kept| kept.expires > now);
        if self.shelves.len() >= limit {
            return Err(StoreError::LimitReached { what: "shelves", limit });
        }
        let expires = now + self.limits.shelf_ttl;
        Ok(self.shelves.entry(user.clone()).or_insert_with(|| Kept::empty(expires)))
    }
}

#[async_trait]
impl Shelves for MemoryStore {
    async fn shelf(&self, user: &User) -> Result<Shelf, StoreError> {
        noted("shelf");
        let glance = |kept: RefMut<'_, User, Kept>| Shelf {
            items: kept
                .items
                .iter()
                .map(|(name, (_, item))| {
                    (name.clone(), Shelved { bytes: item.data.len(), at: item.at })
                })
                .collect(),
            switches: kept.switches.on(),
        };
        Ok(self.shelf_of(user).map(glance).unwrap_or_default())
    }

    async fn on_shelf(&self, user: &User, name: &str) -> Result<Option<ShelfItem>, StoreError> {
        noted("on_shelf");
        let item = |kept: RefMut<'_, User, Kept>| Some(kept.items.get(name)?.1.clone());
        Ok(self.shelf_of(user).and_then(item))
    }

    async fn put_on_shelf(
        &self,
        user: &User,
        name: &str,
        item: ShelfItem,
    ) -> Result<Vec<String>, StoreError> {
        noted("put_on_shelf");
        self.limits.take_item(name, &item.data)?;
        let mut kept = self.shelf_for(user)?;
        kept.puts += 1;
        let order = kept.puts;
        kept.items.insert(name.to_owned(), (order, item));
        let mut gone = Vec::new();
        while kept.items.len() > self.limits.shelf_items || kept.bytes() > self.limits.shelf_bytes {
            let Some(oldest) = kept.oldest() else { break };
            kept.items.remove(&oldest);
            gone.push(oldest);
        }
        Ok(gone)
    }

    async fn flip_on_shelf(
        &self,
        user: &User,
        switch: &str,
        attempt: &AttemptId,
    ) -> Result<bool, StoreError> {
        noted("flip_on_shelf");
        self.shelf_for(user)?.switches.flip(switch, &attempt.to_string())
    }
}
