//! A map whose entries end by themselves.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use crate::{StoreError, Timestamp};

/// Entries with the time they end. An entry past its end is as good as gone, swept or not. Nothing
/// here looks at every entry: whoever adds one holds everybody else up.
#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// The first to end is first; of those that end together, the one that was added first.
    order: BTreeMap<(Timestamp, u64), K>,
    added: u64,
}

#[derive(Debug)]
pub(super) struct Entry<V> {
    pub(super) value: V,
    ends: Timestamp,
    number: u64,
}

impl<V> Entry<V> {
    pub(super) const fn ends(&self) -> Timestamp {
        self.ends
    }

    /// Counts what was added, so that the older of two is known even if they came at one time.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), added: 0 }
    }
}

impl<K: Clone + Eq + Hash, V> Expiring<K, V> {
    /// The entry, if it lives.
    pub(super) fn live<Q>(&mut self, key: &Q, now: Timestamp) -> Option<&mut Entry<V>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get_mut(key).filter(|entry| now < entry.ends)
    }

    /// Adds an entry in the place of whatever has this key. Says its number.
    pub(super) fn insert(&mut self, key: K, value: V, ends: Timestamp) -> u64 {
        self.remove(&key);
        self.added += 1;
        let number = self.added;
        self.order.insert((ends, number), key.clone());
        self.entries.insert(key, Entry { value, ends, number });
        number
    }

    /// Adds an entry if there is room; one that lives stays as it is.
    pub(super) fn insert_new(
        &mut self,
        key: K,
        value: V,
        (now, ends): (Timestamp, Timestamp),
        (what, limit): (&'static str, usize),
    ) -> Result<(), StoreError> {
        if self.live(&key, now).is_some() {
            return Ok(());
        }
        self.sweep(now);
        if self.len() >= limit {
            return Err(StoreError::LimitReached { what, limit });
        }
        self.insert(key, value, ends);
        Ok(())
    }

    /// Moves the end of an entry.
    pub(super) fn set_end<Q>(&mut self, key: &Q, ends: Timestamp)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(entry) = self.entries.get_mut(key)
            && let Some(key) = self.order.remove(&(entry.ends, entry.number))
        {
            entry.ends = ends;
            self.order.insert((ends, entry.number), key);
        }
    }

    /// Removes what has ended.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        while self.pop_ended(now).is_some() {}
    }

    /// Removes one that has ended.
    pub(super) fn pop_ended(&mut self, now: Timestamp) -> Option<Entry<V>> {
        let (&(ends, _), _) = self.order.first_key_value()?;
        if now < ends { None } else { self.pop_first() }
    }

    /// Removes the one that ends first.
    pub(super) fn pop_first(&mut self) -> Option<Entry<V>> {
        let (_, key) = self.order.pop_first()?;
        self.entries.remove(&key)
    }

    pub(super) fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&(entry.ends, entry.number));
        }
    }

    /// How many are in memory, those past their end included.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
