//! What an instance has taken in advance: most requests ask nobody.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Rate, RateKey};
use crate::Timestamp;

/// How long what was taken in advance may be kept: what an idle instance has is missing elsewhere.
const KEPT: Duration = Duration::from_secs(10);

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
    fn left(&mut self, now: Timestamp) -> u32 {
        if self.until <= now {
            self.left = 0;
        }
        self.left
    }

    /// Spends so many, or says how long there are not as many; `None`: that has to be asked.
    pub(super) fn spend(
        &mut self,
        rate: Rate,
        count: u32,
        now: Timestamp,
    ) -> Option<Result<(), Duration>> {
        let left = self.left(now);
        if left >= count {
            self.left = left - count;
            return Some(Ok(()));
        }
        let wait = self.empty_for(now);
        (!wait.is_zero()).then(|| Err(wait + rate.several(count - left)))
    }

    /// Whether there is one, or how long there is none; `None`: that has to be asked.
    pub(super) fn look(&mut self, now: Timestamp) -> Option<Result<(), Duration>> {
        if self.left(now) > 0 {
            return Some(Ok(()));
        }
        let wait = self.empty_for(now);
        (!wait.is_zero()).then_some(Err(wait))
    }

    /// Takes all that are here, for whoever asks for more.
    pub(super) fn take_left(&mut self, now: Timestamp) -> u32 {
        let left = self.left(now);
        self.left = 0;
        left
    }

    /// How long nobody needs to be asked for more.
    fn empty_for(&self, now: Timestamp) -> Duration {
        self.empty_until.since(now)
    }

    pub(super) fn add(&mut self, count: u32, now: Timestamp) {
        self.left = self.left(now).saturating_add(count);
        self.until = now + KEPT;
    }

    pub(super) fn is_empty_for(&mut self, wait: Duration, now: Timestamp) {
        self.empty_until = now + wait;
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now && self.empty_until <= now
    }
}

/// What is counted together, and what is left of it here.
pub(super) struct Counted {
    pub(super) key: RateKey,
    lease: Mutex<Lease>,
    /// Whoever asks for more has it, and all others wait for what that gets.
    pub(super) asking: tokio::sync::Mutex<()>,
}

impl Counted {
    pub(super) fn new(key: RateKey) -> Self {
        Self { key, lease: Mutex::new(Lease::new()), asking: tokio::sync::Mutex::default() }
    }

    /// Held for a look, never over an await.
    pub(super) fn lease(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
