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
    /// Of all items and their names.
    bytes: usize,
    puts: u64,
    switches: Switches,
    pub(super) expires: Timestamp,
}

impl Kept {
    fn empty(expires: Timestamp) -> Self {
        Self { items: BTreeMap::new(), bytes: 0, puts: 0, switches: Switches::default(), expires }
    }

    fn put(&mut self, name: &str, item: ShelfItem) {
        self.remove(name);
        self.puts += 1;
        self.bytes += name.len() + item.data.len();
        self.items.insert(name.to_owned(), (self.puts, item));
    }

    fn remove(&mut self, name: &str) {
        if let Some((_, item)) = self.items.remove(name) {
            self.bytes -= name.len() + item.data.len();
        }
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
    fn shelf_for(&self, user: &User) -> RefMut<'_, User, Kept> {
        if let Some(kept) = self.shelf_of(user) {
            return kept;
        }
        let now = self.clock.now();
        self.shelves.retain(|_, kept| kept.expires > now);
        let expires = now + self.limits.shelf_ttl;
        self.shelves.entry(user.clone()).or_insert_with(|| Kept::empty(expires))
    }

    /// Drops the shelves nearest their end until all of them are within their bounds; never this
    /// user's own.
    fn make_room_for(&self, user: &User) {
        loop {
            let (mut shelves, mut bytes, mut nearest) = (0, 0, None);
            for kept in &self.shelves {
                shelves += 1;
                bytes += kept.bytes;
                if kept.key() != user
                    && nearest.as_ref().is_none_or(|(ends, _)| kept.expires < *ends)
                {
                    nearest = Some((kept.expires, kept.key().clone()));
                }
            }
            let full = shelves > self.limits.shelves || bytes > self.limits.shelves_bytes;
            let Some((_, nearest)) = nearest.filter(|_| full) else { return };
            self.shelves.remove(&nearest);
        }
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
        let mut kept = self.shelf_for(user);
        kept.put(name, item);
        let mut gone = Vec::new();
        while kept.items.len() > self.limits.shelf_items || kept.bytes > self.limits.shelf_bytes {
            let Some(oldest) = kept.oldest() else { break };
            kept.remove(&oldest);
            gone.push(oldest);
        }
        drop(kept);
        self.make_room_for(user);
        Ok(gone)
    }

    async fn flip_on_shelf(
        &self,
        user: &User,
        switch: &str,
        attempt: &AttemptId,
    ) -> Result<bool, StoreError> {
        noted("flip_on_shelf");
        let flipped = self.shelf_for(user).switches.flip(switch, &attempt.to_string());
        self.make_room_for(user);
        flipped
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bytes::Bytes;

    use super::*;
    use crate::{Clock as _, Limits, SystemRandom, TestClock};

    fn user(id: &str) -> User {
        User { id: id.to_owned(), issuer: String::new() }
    }

    /// Nobody is locked out by the shelves of others, and nobody's in use makes room.
    #[tokio::test]
    async fn the_shelf_nearest_its_end_makes_room() {
        let clock = TestClock::default();
        let limits = Limits { shelves: 2, shelves_bytes: 8, ..Limits::default() };
        let store = MemoryStore::new(Arc::new(clock.clone()), limits);
        let has = |id: &str| store.shelves.contains_key(&user(id));
        for id in ["alice", "bob"] {
            let attempt = AttemptId::draw(&SystemRandom);
            assert!(store.flip_on_shelf(&user(id), "s", &attempt).await.unwrap());
            clock.advance(Duration::from_secs(1));
        }
        // She looks at hers, so that his is nearer to its end.
        store.shelf(&user("alice")).await.unwrap();
        clock.advance(Duration::from_secs(1));
        let item = |bytes| ShelfItem { data: Bytes::from(vec![0; bytes]), at: clock.now() };
        store.put_on_shelf(&user("carol"), "a", item(3)).await.unwrap();
        assert_eq!([has("alice"), has("bob"), has("carol")], [true, false, true]);
        store.put_on_shelf(&user("alice"), "a", item(3)).await.unwrap();
        assert!(has("carol"), "there is room for both");
        store.put_on_shelf(&user("alice"), "a", item(5)).await.unwrap();
        assert!(has("alice") && !has("carol"));
    }
}
