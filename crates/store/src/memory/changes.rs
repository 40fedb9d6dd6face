//! The log of changes.

use std::{
    collections::VecDeque,
    sync::{MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::MemoryStore;
use crate::{Announcement, CHANGES_PAGE, ChangeLog, ChangePosition, Changed, StoreError, noted};

/// The newest changes, which are numbered from 1.
#[derive(Default)]
pub(super) struct Changes {
    log: VecDeque<Announcement>,
    recorded: u64,
}

impl Changes {
    pub(super) fn newest(&self) -> ChangePosition {
        position(self.recorded)
    }

    fn since(&self, after: ChangePosition) -> Changed {
        let back = self.recorded.checked_sub(after.sequence).and_then(|back| back.try_into().ok());
        let first = back.and_then(|back: usize| self.log.len().checked_sub(back));
        let (Some(first), 0) = (first, after.time) else {
            return Changed::missed(self.newest());
        };
        let changes: Vec<_> = self.log.iter().skip(first).take(CHANGES_PAGE).cloned().collect();
        let upto = after.sequence + changes.len() as u64;
        let places = (after.sequence + 1..=upto).map(position).collect();
        Changed { changes, places, upto: position(upto) }
    }
}

fn position(sequence: u64) -> ChangePosition {
    ChangePosition { time: 0, sequence }
}

impl MemoryStore {
    pub(super) fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ChangeLog for MemoryStore {
    async fn record(&self, change: &Announcement) -> Result<(), StoreError> {
        noted("record");
        let mut changes = self.changes();
        changes.recorded += 1;
        changes.log.push_back(change.clone());
        if changes.log.len() > self.limits.changes {
            changes.log.pop_front();
        }
        Ok(())
    }

    async fn newest(&self) -> Result<ChangePosition, StoreError> {
        noted("newest");
        Ok(self.changes().newest())
    }

    async fn since(&self, after: ChangePosition) -> Result<Changed, StoreError> {
        noted("since");
        Ok(self.changes().since(after))
    }
}
