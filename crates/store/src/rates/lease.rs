//! What an instance has taken in advance: most requests ask nobody.

use std::{sync::Arc, time::Duration};

use dashmap::DashMap;
use tokio::sync::Mutex;

use super::RateKey;
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

/// The leases of one instance.
#[derive(Default)]
pub(super) struct Leases(DashMap<RateKey, Arc<Mutex<Lease>>>);

impl Leases {
    /// The lease for a key. Who has it asks for more, and all others wait for what it gets.
    pub(super) fn of(&self, key: &RateKey, now: Timestamp) -> Arc<Mutex<Lease>> {
        if let Some(lease) = self.0.get(key) {
            return Arc::clone(&lease);
        }
        if self.0.len() >= MOST {
            self.make_room(now);
        }
        let lease = self.0.entry(key.clone()).or_insert_with(|| Arc::new(Mutex::new(Lease::new())));
        Arc::clone(&lease)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets those that are over, or else all of them: what is lost is what was taken in advance.
    fn make_room(&self, now: Timestamp) {
        self.0.retain(|_, lease| lease.try_lock().map_or(true, |lease| !lease.is_over(now)));
        if self.0.len() >= MOST {
            self.0.clear();
        }
    }
}
