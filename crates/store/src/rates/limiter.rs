//! Counting for one instance, together with the others.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::timeout;

use super::{Rate, RateKey, Rates, Subject, Taken, lease::Leases, lines::Lines};
use crate::{Clock, StoreError, Timestamp, memory::MemoryRates};

/// How long an answer may take that a request waits for.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long nobody asks after an answer that did not come.
const REST: Duration = Duration::from_secs(1);

/// Counts what happens at one instance.
///
/// Where several share the count, an instance takes some in advance, a hundredth of the rate and no
/// more than a hundred, and asks again when it has none left. So one request in so many asks, and
/// what an instance lets through is never more than it has taken: in a period that is the rate and
/// what it had taken before, and it is less by what others hold, for 10 s at most.
///
/// While the count cannot be asked for, an instance counts for itself, by the same arithmetic: then
/// as many times the rate as there are instances may get through. No request fails for it.
pub struct Limiter {
    shared: Option<Arc<dyn Rates>>,
    own: MemoryRates,
    leases: Leases,
    clock: Arc<dyn Clock>,
    is_away: AtomicBool,
    /// When to ask again, in milliseconds.
    asks_at: AtomicU64,
    pub(super) lines: Lines,
}

impl Limiter {
    /// For an instance that is alone.
    pub fn alone(clock: Arc<dyn Clock>) -> Self {
        Self::new(None, clock)
    }

    /// For one of several, which share the count.
    pub fn sharing(rates: Arc<dyn Rates>, clock: Arc<dyn Clock>) -> Self {
        Self::new(Some(rates), clock)
    }

    fn new(shared: Option<Arc<dyn Rates>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            shared,
            own: MemoryRates::new(Arc::clone(&clock)),
            leases: Leases::default(),
            clock,
            is_away: AtomicBool::new(false),
            asks_at: AtomicU64::new(0),
            lines: Lines::default(),
        }
    }

    /// How often a limit refused something, since this began.
    pub fn refused(&self, limit: &str) -> u64 {
        self.lines.refused_by(limit)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes so many, or says how long it is until there are as many.
    pub(super) async fn take(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        rate: Rate,
        count: u32,
    ) -> Result<(), Duration> {
        let count = count.min(rate.count());
        let counted = self.leases.of(limit, subject, self.now());
        let mut lease = counted.lease.lock().await;
        let now = self.now();
        let missing = count.saturating_sub(lease.left(now));
        if missing > 0 {
            let wait = lease.empty_for(now);
            if !wait.is_zero() {
                return Err(wait + several(rate, missing));
            }
            let most = missing.max(self.in_advance(rate));
            let (taken, by) = self.ask(&counted.key, rate, most).await;
            lease.add(taken.count, now);
            if taken.count < missing {
                lease.is_empty_for(by.holds_for(taken.wait), now);
                return Err(taken.wait + several(rate, missing - taken.count));
            }
        }
        lease.spend(count);
        Ok(())
    }

    /// Whether there is one, without taking it; if not, how long it is until then.
    pub(super) async fn look(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        rate: Rate,
    ) -> Result<(), Duration> {
        let counted = self.leases.of(limit, subject, self.now());
        let mut lease = counted.lease.lock().await;
        let now = self.now();
        if lease.left(now) > 0 {
            return Ok(());
        }
        if lease.empty_for(now).is_zero() {
            let (taken, by) = self.ask(&counted.key, rate, 0).await;
            lease.is_empty_for(by.holds_for(taken.wait), now);
            return if taken.wait.is_zero() { Ok(()) } else { Err(taken.wait) };
        }
        Err(lease.empty_for(now))
    }

    /// How many to take at a time. Alone, nothing is to be gained.
    fn in_advance(&self, rate: Rate) -> u32 {
        if self.shared.is_some() { (rate.count() / 100).clamp(1, 100) } else { 1 }
    }

    async fn ask(&self, key: &RateKey, rate: Rate, most: u32) -> (Taken, CountedBy) {
        if let Some(shared) = self.shared.as_ref().filter(|_| self.is_time_to_ask()) {
            let error = match timeout(PATIENCE, shared.take(key, rate, most)).await {
                Ok(Ok(taken)) => {
                    self.is_back();
                    return (taken, CountedBy::All);
                }
                Ok(Err(error)) => error,
                Err(_) => StoreError::Unavailable { reason: "it does not answer".to_owned() },
            };
            self.is_gone(&error);
        }
        let by = if self.shared.is_some() { CountedBy::Itself } else { CountedBy::All };
        (self.own.take_now(key, rate, most), by)
    }

    /// While nobody answers, one request at a time finds out whether somebody does again.
    fn is_time_to_ask(&self) -> bool {
        if !self.is_away.load(Ordering::Relaxed) {
            return true;
        }
        let now = self.now();
        let next = (now + REST).as_millis();
        let is_due = |at: u64| (now.as_millis() >= at).then_some(next);
        self.asks_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok()
    }

    fn is_gone(&self, error: &StoreError) {
        self.asks_at.store((self.now() + REST).as_millis(), Ordering::Relaxed);
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

/// How much longer than for one.
fn several(rate: Rate, count: u32) -> Duration {
    Duration::from_micros(rate.each() * u64::from(count.saturating_sub(1)))
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("shared", &self.shared.is_some()).finish_non_exhaustive()
    }
}
