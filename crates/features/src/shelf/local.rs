//! Shelves within one process.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Shelf, ShelfItem, Shelved, Shelves};
use crate::{error::StateError, origin::User, time::ClockHook};

/// How many users have a shelf at most.
const USERS: usize = 100;
/// How much is on one, as in the server's own store.
const ITEMS: usize = 32;
const BYTES: usize = 1 << 20;

/// Shelves within this process, which end with it.
pub struct LocalShelves {
    clock: ClockHook,
    shelves: Mutex<HashMap<User, Kept>>,
}

#[derive(Default)]
struct Kept {
    /// With the order in which they were put there.
    items: BTreeMap<String, (u64, ShelfItem)>,
    puts: u64,
    switches: BTreeSet<String>,
}

impl Kept {
    fn bytes(&self) -> usize {
        self.items.iter().map(|(name, (_, item))| name.len() + item.data.len()).sum()
    }

    fn drop_oldest(&mut self) -> Option<String> {
        let oldest = self.items.iter().min_by_key(|(_, (order, _))| *order);
        let name = oldest.map(|(name, _)| name.clone())?;
        self.items.remove(&name);
        Some(name)
    }
}

impl LocalShelves {
    /// Empty ones, and what time it is.
    pub fn new(clock: ClockHook) -> Self {
        Self { clock, shelves: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<User, Kept>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a shelf, which may be the first change of it.
    fn change<T>(&self, user: &User, change: impl FnOnce(&mut Kept) -> T) -> Result<T, StateError> {
        let mut shelves = self.lock();
        if shelves.len() >= USERS && !shelves.contains_key(user) {
            return Err(StateError::LimitReached);
        }
        Ok(change(shelves.entry(user.clone()).or_default()))
    }
}

#[async_trait]
impl Shelves for LocalShelves {
    async fn shelf(&self, user: &User) -> Result<Shelf, StateError> {
        let shelves = self.lock();
        let Some(kept) = shelves.get(user) else { return Ok(Shelf::default()) };
        let items = kept.items.iter().map(|(name, (_, item))| {
            (name.clone(), Shelved { bytes: item.data.len(), at: item.at })
        });
        Ok(Shelf { items: items.collect(), switches: kept.switches.clone() })
    }

    async fn get(&self, user: &User, name: &str) -> Result<Option<ShelfItem>, StateError> {
        let shelves = self.lock();
        Ok(shelves.get(user).and_then(|kept| Some(kept.items.get(name)?.1.clone())))
    }

    async fn put(&self, user: &User, name: &str, data: Vec<u8>) -> Result<Vec<String>, StateError> {
        if name.len() + data.len() > BYTES {
            return Err(StateError::LimitReached);
        }
        let item = ShelfItem { data, at: (self.clock)() };
        self.change(user, |kept| {
            kept.puts += 1;
            kept.items.insert(name.to_owned(), (kept.puts, item));
            let mut gone = Vec::new();
            while kept.items.len() > ITEMS || kept.bytes() > BYTES {
                gone.extend(kept.drop_oldest());
            }
            gone
        })
    }

    async fn flip(&self, user: &User, switch: &str) -> Result<bool, StateError> {
        self.change(user, |kept| {
            kept.switches.remove(switch) || !kept.switches.insert(switch.to_owned())
        })
        .map(|was_on| !was_on)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_shelf_is_bounded_and_one_users() {
        let shelves = LocalShelves::new(Arc::new(|| 7));
        let user = |id: &str| User { id: id.to_owned(), issuer: None };
        let (alice, bob) = (user("alice"), user("bob"));
        for number in 0..=ITEMS {
            let gone = shelves.put(&alice, &number.to_string(), vec![0]).await.unwrap();
            assert_eq!(gone, if number == ITEMS { vec!["0".to_owned()] } else { Vec::new() });
        }
        let gone = shelves.put(&alice, "big", vec![0; BYTES - 3]).await.unwrap();
        assert_eq!(gone.len(), ITEMS);
        assert_eq!(shelves.put(&alice, "b", vec![0; BYTES]).await, Err(StateError::LimitReached));
        assert_eq!(shelves.flip(&alice, "s").await, Ok(true));
        assert_eq!(shelves.shelf(&bob).await.unwrap(), Shelf::default());
        assert_eq!(shelves.get(&bob, "big").await, Ok(None));
        let hers = shelves.shelf(&alice).await.unwrap();
        assert_eq!(hers.items["big"], Shelved { bytes: BYTES - 3, at: 7 });
        assert_eq!(hers.switches, BTreeSet::from(["s".to_owned()]));
        assert_eq!(shelves.flip(&alice, "s").await, Ok(false));
        for number in 1..USERS {
            shelves.flip(&user(&number.to_string()), "s").await.unwrap();
        }
        assert_eq!(shelves.flip(&bob, "s").await, Err(StateError::LimitReached));
        assert_eq!(shelves.flip(&alice, "s").await, Ok(true));
    }
}
