//! What was seen last, and no more than so much of it.

use std::{collections::HashMap, fmt, hash::Hash, mem};

/// How many are kept twice over: in the newer half and in the older one.
const HALF: usize = 4096;

/// What was seen last: the newest 4,096 at least, and twice as many at most. What is seen again
/// stays.
pub struct Halves<K, V> {
    newer: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K, V> Default for Halves<K, V> {
    fn default() -> Self {
        Self { newer: HashMap::new(), older: HashMap::new() }
    }
}

impl<K: Eq + Hash, V> Halves<K, V> {
    /// What is kept under `key`, which is seen now.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        // Where few are kept there is no older half, and one look is enough.
        if !self.older.is_empty() && !self.newer.contains_key(key) {
            let (key, value) = self.older.remove_entry(key)?;
            self.insert(key, value);
        }
        self.newer.get_mut(key)
    }

    /// Keeps something, in place of what was there.
    pub fn insert(&mut self, key: K, value: V) {
        // When the newer half is full it becomes the older one, which goes.
        if self.newer.len() >= HALF && !self.newer.contains_key(&key) {
            drop(self.turn());
        }
        self.older.remove(&key);
        self.newer.insert(key, value);
    }

    /// Makes the newer half the older one, and gives back what was that.
    #[must_use = "it may be large, and is dropped where nobody waits"]
    pub fn turn(&mut self) -> Self {
        let newer = mem::take(&mut self.newer);
        Self { newer: HashMap::new(), older: mem::replace(&mut self.older, newer) }
    }

    /// Forgets what is kept under `key`.
    pub fn remove(&mut self, key: &K) {
        self.newer.remove(key);
        self.older.remove(key);
    }

    /// Forgets what is not to be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.newer.retain(|_, value| keep(value));
        self.older.retain(|_, value| keep(value));
    }
}

impl<K, V> fmt::Debug for Halves<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Halves({} and {})", self.newer.len(), self.older.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_no_more_than_that() {
        let mut halves = Halves::default();
        halves.insert(0, "first");
        for number in 1..3 * HALF {
            halves.insert(number, "other");
            if number % (HALF / 2) == 0 {
                assert_eq!(halves.get(&0), Some(&mut "first"), "it is used, so it stays");
            }
        }
        assert!(halves.newer.len() + halves.older.len() <= 2 * HALF);
        assert_eq!(halves.get(&1), None, "it was not used");
        halves.remove(&0);
        assert_eq!(halves.get(&0), None);
        halves.retain(|_| false);
        assert_eq!(halves.newer.len() + halves.older.len(), 0);
    }

    #[test]
    fn what_is_kept_again_is_kept_once() {
        let mut halves = Halves::default();
        for number in 0..=HALF {
            halves.insert(number, 1);
        }
        halves.insert(0, 2);
        assert_eq!(halves.get(&0), Some(&mut 2), "not the one of the older half");
        halves.remove(&0);
        assert_eq!(halves.get(&0), None);
    }
}
