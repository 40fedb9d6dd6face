//! Registrations.

use std::{collections::BTreeMap, time::Duration};

use super::expiring::Expiring;
use crate::{StoreError, Timestamp};

/// Registrations, and which of them may make room.
#[derive(Default)]
pub(super) struct Clients {
    /// The records by `client_id`.
    kept: Expiring<String, Vec<u8>>,
    /// Those that were never prolonged, the oldest first.
    unused: BTreeMap<u64, String>,
}

impl Clients {
    /// The record, if it lives.
    pub(super) fn live(&mut self, id: &str, now: Timestamp) -> Option<&mut Vec<u8>> {
        self.kept.live(id, now).map(|entry| &mut entry.value)
    }

    /// Adds a registration; one that lives stays as it is.
    pub(super) fn put(
        &mut self,
        id: &str,
        record: Vec<u8>,
        now: Timestamp,
        life: Duration,
        capacity: usize,
    ) -> Result<(), StoreError> {
        if self.kept.live(id, now).is_some() {
            return Ok(());
        }
        self.sweep(now);
        // First, so that nobody makes room in vain.
        if self.kept.len() - self.unused.len() >= capacity {
            return Err(StoreError::LimitReached { what: "registered clients", limit: capacity });
        }
        while self.kept.len() >= capacity
            && let Some((_, oldest)) = self.unused.pop_first()
        {
            self.kept.remove(oldest.as_str());
        }
        let number = self.kept.insert(id.to_owned(), record, now + life);
        self.unused.insert(number, id.to_owned());
        Ok(())
    }

    /// Marks a registration as in use. `false` if it is not there.
    pub(super) fn prolong(&mut self, id: &str, now: Timestamp, life: Duration) -> bool {
        let Some(entry) = self.kept.live(id, now) else { return false };
        self.unused.remove(&entry.number());
        let ends = entry.ends().max(now + life);
        self.kept.set_end(id, ends);
        true
    }

    /// Removes what has ended.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        while let Some(entry) = self.kept.pop_ended(now) {
            self.unused.remove(&entry.number());
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert!(self.unused.len() <= self.kept.len());
        self.kept.len()
    }
}
