//! Grants.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use super::expiring::{Entry, Expiring};
use crate::{StoreError, Timestamp, oauth::GrantId};

/// Grants, and whose they are.
#[derive(Default)]
pub(super) struct Grants {
    kept: Expiring<GrantId, GrantRow>,
    /// Each by its user and its number.
    of_users: BTreeMap<(String, u64), GrantId>,
}

pub(super) struct GrantRow {
    pub(super) user: String,
    pub(super) record: Vec<u8>,
    pub(super) revoked: bool,
}

impl Grants {
    /// The grant, if it lives.
    pub(super) fn live(&mut self, id: &GrantId, now: Timestamp) -> Option<&mut Entry<GrantRow>> {
        self.kept.live(id, now)
    }

    /// The grant, if it lives and is not revoked.
    pub(super) fn active(&mut self, id: &GrantId, now: Timestamp) -> Option<&mut Entry<GrantRow>> {
        self.live(id, now).filter(|entry| !entry.value.revoked)
    }

    /// Adds a grant if there is room; one that lives stays as it is.
    pub(super) fn create(
        &mut self,
        id: &GrantId,
        row: GrantRow,
        now: Timestamp,
        life: Duration,
        limit: usize,
    ) -> Result<(), StoreError> {
        if self.kept.live(id, now).is_some() {
            return Ok(());
        }
        self.sweep(now);
        if self.kept.len() >= limit {
            return Err(StoreError::LimitReached { what: "grants", limit });
        }
        let user = row.user.clone();
        let number = self.kept.insert(*id, row, now + life);
        self.of_users.insert((user, number), *id);
        Ok(())
    }

    /// Keeps a grant for at least `life` from now. `false` if it is not there or revoked.
    pub(super) fn prolong(&mut self, id: &GrantId, now: Timestamp, life: Duration) -> bool {
        let Some(entry) = self.active(id, now) else { return false };
        let ends = entry.ends().max(now + life);
        self.kept.set_end(id, ends);
        true
    }

    /// The names of a user's grants that live and are not revoked, the last to end first.
    pub(super) fn of(&mut self, user: &str, now: Timestamp) -> Vec<GrantId> {
        let numbers = (user.to_owned(), 0)..=(user.to_owned(), u64::MAX);
        let ids: Vec<GrantId> = self.of_users.range(numbers).map(|(_, id)| *id).collect();
        let ends = |id: GrantId| Some((self.active(&id, now)?.ends(), id));
        let mut ending: Vec<_> = ids.into_iter().filter_map(ends).collect();
        ending.sort_by_key(|(ends, _)| Reverse(*ends));
        ending.into_iter().map(|(_, id)| id).collect()
    }

    /// Removes what has ended.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        while let Some(ended) = self.kept.pop_ended(now) {
            let number = ended.number();
            self.of_users.remove(&(ended.value.user, number));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.of_users.len(), self.kept.len());
        self.kept.len()
    }
}
