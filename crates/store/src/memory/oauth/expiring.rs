//! A map whose entries end by themselves.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

use crate::Timestamp;

/// Entries with the time they end. An entry past its end is as good as gone, swept or not.
#[derive(Debug)]
pub(super) struct Expiring<K, V>(HashMap<K, Entry<V>>);

#[derive(Debug)]
pub(super) struct Entry<V> {
    pub(super) value: V,
    pub(super) ends: Timestamp,
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V> Expiring<K, V> {
    /// The entry, if it lives.
    pub(super) fn live<Q>(&mut self, key: &Q, now: Timestamp) -> Option<&mut Entry<V>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0.get_mut(key).filter(|entry| now < entry.ends)
    }

    /// Adds an entry; one that lives stays as it is.
    pub(super) fn insert_new(&mut self, key: K, value: V, now: Timestamp, ends: Timestamp) {
        if self.live(&key, now).is_none() {
            self.0.insert(key, Entry { value, ends });
        }
    }

    /// Removes what has ended.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.0.retain(|_, entry| now < entry.ends);
    }

    pub(super) fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0.remove(key);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &Entry<V>)> {
        self.0.iter()
    }

    /// How many are in memory, those past their end included.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
