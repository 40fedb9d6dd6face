//! Counting for one instance, together with the others.

use std::{fmt, sync::Arc, time::Duration};

use super::{Rate, Rates, Subject, alone::Alone, lines::Lines, sharing::Sharing};
use crate::{Clock, Timestamp, memory::MemoryRates};

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
    counting: Counting,
    clock: Arc<dyn Clock>,
    pub(super) lines: Lines,
}

enum Counting {
    Alone(Alone),
    Sharing(Sharing),
}

impl Limiter {
    /// For an instance that is alone.
    pub fn alone(clock: Arc<dyn Clock>) -> Self {
        let counting = Counting::Alone(Alone::new(MemoryRates::new(Arc::clone(&clock))));
        Self { counting, clock, lines: Lines::default() }
    }

    /// For one of several, which share the count.
    pub fn sharing(rates: Arc<dyn Rates>, clock: Arc<dyn Clock>) -> Self {
        let own = MemoryRates::new(Arc::clone(&clock));
        let counting = Counting::Sharing(Sharing::new(rates, own, Arc::clone(&clock)));
        Self { counting, clock, lines: Lines::default() }
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
        match &self.counting {
            _ if count == 0 => Ok(()),
            Counting::Alone(alone) => alone.take(limit, subject, rate, (count, self.now())),
            Counting::Sharing(sharing) => sharing.take(limit, subject, rate, count).await,
        }
    }

    /// Whether there is one, without taking it; if not, how long it is until then.
    pub(super) async fn look(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        rate: Rate,
    ) -> Result<(), Duration> {
        match &self.counting {
            Counting::Alone(alone) => alone.look(limit, subject, rate, self.now()),
            Counting::Sharing(sharing) => sharing.look(limit, subject, rate).await,
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_shared = matches!(self.counting, Counting::Sharing(_));
        f.debug_struct("Limiter").field("shared", &is_shared).finish_non_exhaustive()
    }
}
