//! What an instance has taken in advance: most requests ask nobody.

use std::{sync::Arc, time::Duration};

use dashmap::DashMap;
use tokio::sync::Mutex;

use super::{RateKey, Subject};
use crate::Timestamp;

/// How long what was taken in advance may be kept: what an idle instance has is missing elsewhere.
const KEPT: Duration = Duration::from_secs(10);
/// Leases that are kept at a time.
const MOST: usize = 20_000;

/// What is left for one key here.
#[derive(Debug)]
pub(super) struct Lease {
    left: u32,
    until: Timestamp,
    /// There was nothing more to take, and until then there is none.
    empty_until: Timestamp,
}

impl Lease {
    const fn new() -> Self {
        let never = Timestamp::from_millis(0);
        Self { left: 0, until: never, empty_until: never }
    }

    /// How many are here.
    pub(super) fn left(&mut self, now: Timestamp) -> u32 {
        if self.until <= now {
            self.left = 0;
        }
        self.left
    }

    /// How long nobody needs to be asked for more.
    pub(super) fn empty_for(&self, now: Timestamp) -> Duration {
        self.empty_until.since(now)
    }

    pub(super) fn add(&mut self, count: u32, now: Timestamp) {
        self.left = self.left(now) + count;
        self.until = now + KEPT;
    }

    pub(super) fn spend(&mut self, count: u32) {
        self.left = self.left.saturating_sub(count);
    }

    pub(super) fn is_empty_for(&mut self, wait: Duration, now: Timestamp) {
        self.empty_until = now + wait;
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now && self.empty_until <= now
    }
}

/// What is counted together, and what is left of it here. Who has the lease asks for more, and all
/// others wait for what it gets.
pub(super) struct Counted {
    pub(super) key: RateKey,
    pub(super) lease: Mutex<Lease>,
}

/// The leases of one instance, by the name of the limit and of whom it is about.
#[derive(Default)]
pub(super) struct Leases(DashMap<(&'static str, String), Arc<Counted>>);

impl Leases {
    /// What a limit counts for a subject.
    pub(super) fn of(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        now: Timestamp,
    ) -> Arc<Counted> {
        let name = (limit, subject.name());
        if let Some(counted) = self.0.get(&name) {
            return Arc::clone(&counted);
        }
        if self.0.len() >= MOST {
            self.make_room(now);
        }
        let counted = || Counted { key: subject.key(limit), lease: Mutex::new(Lease::new()) };
        Arc::clone(&self.0.entry(name).or_insert_with(|| Arc::new(counted())))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets those that are over, or else all of them: what is lost is what was taken in advance.
    fn make_room(&self, now: Timestamp) {
        self.0.retain(|_, counted| {
            counted.lease.try_lock().map_or(true, |lease| !lease.is_over(now))
        });
        if self.0.len() >= MOST {
            self.0.clear();
        }
    }
}
