//! Counting for one of several instances, which take some in advance.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::timeout;

use super::{Rate, RateKey, Rates, Subject, Taken, known::Known, lease::Counted};
use crate::{Clock, StoreError, memory::MemoryRates};

/// How long an answer may take that a request waits for.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long nobody asks after an answer that did not come.
const REST: Duration = Duration::from_secs(1);

/// The count that is shared, what was taken of it in advance, and a count of its own for when it cannot
/// be asked for.
pub(super) struct Sharing {
    rates: Arc<dyn Rates>,
    own: MemoryRates,
    leases: Known<Arc<Counted>>,
    clock: Arc<dyn Clock>,
    is_away: AtomicBool,
    /// When to ask again, in milliseconds.
    asks_at: AtomicU64,
}

impl Sharing {
    pub(super) fn new(rates: Arc<dyn Rates>, own: MemoryRates, clock: Arc<dyn Clock>) -> Self {
        let leases = Known::default();
        let (is_away, asks_at) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { rates, own, leases, clock, is_away, asks_at }
    }

    /// Takes so many, or says how long it is until there are as many.
    pub(super) async fn take(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        rate: Rate,
        count: u32,
    ) -> Result<(), Duration> {
        let spend = |counted: &Arc<Counted>| counted.lease().spend(rate, count, self.clock.now());
        if let Some(spent) = self.leases.look(limit, subject, spend).flatten() {
            return spent;
        }
        let counted = self.counted(limit, subject);
        let _asking = counted.asking.lock().await;
        let now = self.clock.now();
        // What is here is not spent by others while this one asks for the rest.
        let here = {
            let mut lease = counted.lease();
            if let Some(spent) = lease.spend(rate, count, now) {
                return spent;
            }
            lease.take_left(now)
        };
        let missing = count.saturating_sub(here);
        let (taken, by) = self.ask(&counted.key, rate, missing.max(in_advance(rate))).await;
        let mut lease = counted.lease();
        lease.add(here.saturating_add(taken.count), now);
        // Spent before it is let go: others have what is left of it.
        if let Some(spent) = lease.spend(rate, count, now) {
            return spent;
        }
        lease.is_empty_for(by.holds_for(taken.wait), now);
        Err(taken.wait + rate.several(missing - taken.count))
    }

    /// Whether there is one, without taking it; if not, how long it is until then.
    pub(super) async fn look(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        rate: Rate,
    ) -> Result<(), Duration> {
        let look = |counted: &Arc<Counted>| counted.lease().look(self.clock.now());
        if let Some(seen) = self.leases.look(limit, subject, look).flatten() {
            return seen;
        }
        let counted = self.counted(limit, subject);
        let _asking = counted.asking.lock().await;
        if let Some(seen) = look(&counted) {
            return seen;
        }
        let now = self.clock.now();
        let (taken, by) = self.ask(&counted.key, rate, 0).await;
        counted.lease().is_empty_for(by.holds_for(taken.wait), now);
        if taken.wait.is_zero() { Ok(()) } else { Err(taken.wait) }
    }

    /// What a limit counts for a subject.
    fn counted(&self, limit: &'static str, subject: &Subject<'_>) -> Arc<Counted> {
        let now = self.clock.now();
        let make = || Arc::new(Counted::new(subject.key(limit)));
        self.leases.get_or_put(limit, subject, make, |counted| counted.lease().is_over(now))
    }

    async fn ask(&self, key: &RateKey, rate: Rate, most: u32) -> (Taken, CountedBy) {
        if self.is_time_to_ask() {
            let error = match timeout(PATIENCE, self.rates.take(key, rate, most)).await {
                Ok(Ok(taken)) => {
                    self.is_back();
                    return (taken, CountedBy::All);
                }
                Ok(Err(error)) => error,
                Err(_) => StoreError::Unavailable { reason: "it does not answer".to_owned() },
            };
            self.is_gone(&error);
        }
        (self.own.take_now(key, rate, most), CountedBy::Itself)
    }

    /// While nobody answers, one request at a time finds out whether somebody does again.
    fn is_time_to_ask(&self) -> bool {
        if !self.is_away.load(Ordering::Relaxed) {
            return true;
        }
        let now = self.clock.now();
        let next = (now + REST).as_millis();
        let is_due = |at: u64| (now.as_millis() >= at).then_some(next);
        self.asks_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok()
    }

    fn is_gone(&self, error: &StoreError) {
        self.asks_at.store((self.clock.now() + REST).as_millis(), Ordering::Relaxed);
        if !self.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(event = "limits.alone", %error,
                "rates cannot be counted together: each instance counts for itself");
        }
    }

    fn is_back(&self) {
        if self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!(event = "limits.together", "rates are counted together again");
        }
    }
}

/// How many to take at a time.
fn in_advance(rate: Rate) -> u32 {
    (rate.count() / 100).clamp(1, 100)
}

/// Who said how many there are.
#[derive(Clone, Copy)]
enum CountedBy {
    /// All instances together.
    All,
    /// This one, while the others cannot be asked: that holds until they can.
    Itself,
}

impl CountedBy {
    /// For how long nobody needs to be asked again when there are none.
    const fn holds_for(self, wait: Duration) -> Duration {
        match self {
            Self::All => wait,
            Self::Itself => Duration::ZERO,
        }
    }
}
