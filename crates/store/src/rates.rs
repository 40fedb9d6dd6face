//! How often something may happen.
//!
//! A [`Rate`] is counted by GCRA: so many at once after a rest, and then one at a time as they come
//! back. What is kept of it is one time, when all that was taken will have come back.

mod alone;
mod known;
mod lease;
mod limit;
mod limiter;
mod lines;
mod sharing;
mod subject;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

pub use limit::{Exceeded, Limit};
pub use limiter::Limiter;
pub use subject::{Subject, network};

use crate::StoreError;

/// So many in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period: Duration,
}

/// The longest time that is counted over.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Rate {
    /// At least one, in a day at most, and no more often than one in a microsecond.
    pub fn new(count: u32, period: Duration) -> Option<Self> {
        let is_countable = count > 0 && period.as_micros() >= u128::from(count);
        (is_countable && period <= LONGEST).then_some(Self { count, period })
    }

    /// How many there may be at once, and in each period after that.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// In how long that many come back.
    pub const fn period(self) -> Duration {
        self.period
    }

    /// In how many microseconds one comes back.
    pub(crate) fn each(self) -> u64 {
        u64::try_from(self.period.as_micros()).unwrap_or(u64::MAX) / u64::from(self.count)
    }

    /// In how many microseconds all of them come back.
    pub(crate) fn all(self) -> u64 {
        self.each() * u64::from(self.count)
    }

    /// Takes up to `most`. `due` is when all that was taken before will have come back; the answer
    /// begins with what that becomes. Times are in microseconds.
    pub(crate) fn take(self, due: u64, now: u64, most: u32) -> (u64, Taken) {
        let (each, all) = (self.each(), self.all());
        let due = due.clamp(now, now + all);
        let there = (now + all - due) / each;
        let count = u32::try_from(there).unwrap_or(u32::MAX).min(most);
        let due = due + u64::from(count) * each;
        let wait = Duration::from_micros((due + each).saturating_sub(now + all));
        (due, Taken { count, wait })
    }

    /// Takes so many at once, of no more than there may be, or says how long it is until there are as
    /// many. The answer is what `due` becomes.
    pub(crate) fn take_all(self, due: u64, now: u64, count: u32) -> Result<u64, Duration> {
        let all = self.all();
        let due = due.clamp(now, now + all) + u64::from(count) * self.each();
        let missing = due.saturating_sub(now + all);
        if missing == 0 { Ok(due) } else { Err(Duration::from_micros(missing)) }
    }

    /// How much longer so many take to come back than one.
    fn several(self, count: u32) -> Duration {
        Duration::from_micros(self.each() * u64::from(count.saturating_sub(1)))
    }
}

/// As settings have it: a count, a stroke, and a time in milliseconds or whole seconds.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.period.subsec_millis() {
            0 => write!(f, "{}/{}s", self.count, self.period.as_secs()),
            _ => write!(f, "{}/{}ms", self.count, self.period.as_millis()),
        }
    }
}

/// What is counted together: a limit and whom it is about, of which a hash is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RateKey {
    limit: &'static str,
    subject: String,
}

impl RateKey {
    /// Of what `parts` name together, under the limit of that name.
    pub fn new(limit: &'static str, parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Self { limit, subject: URL_SAFE_NO_PAD.encode(hash.finalize()) }
    }
}

/// The limit and the hash, with a colon between them.
impl fmt::Display for RateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.limit, self.subject)
    }
}

/// What was to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many were taken.
    pub count: u32,
    /// How long until there is one more; zero if there is one now.
    pub wait: Duration,
}

/// Keeps count of rates.
#[async_trait]
pub trait Rates: Send + Sync + 'static {
    /// Takes as many as there are, up to `most`; with 0 it only looks. Whoever repeats it because
    /// its answer was lost takes again, so less is let through than could be, and never more.
    async fn take(&self, key: &RateKey, rate: Rate, most: u32) -> Result<Taken, StoreError>;
}
