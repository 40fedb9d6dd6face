//! A limit by name, and what exceeds it.

use std::{sync::Arc, time::Duration};

use thiserror::Error;

use super::{Limiter, Rate, Subject};

/// How often one subject may do something. The default has no bound.
#[derive(Clone, Debug, Default)]
pub struct Limit(Option<Bounded>);

#[derive(Clone, Debug)]
struct Bounded {
    name: &'static str,
    rate: Rate,
    limiter: Arc<Limiter>,
}

/// A limit is exceeded. The text is for whoever asked.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("too many requests: {limit} is limited to {rate}; try again in {} s", self.retry_after())]
pub struct Exceeded {
    limit: &'static str,
    rate: Rate,
    wait: Duration,
}

impl Exceeded {
    /// The name of the limit.
    pub const fn limit(&self) -> &'static str {
        self.limit
    }

    /// In how many seconds it is worth trying again: one at least (RFC 9110 section 10.2.3).
    pub fn retry_after(&self) -> u64 {
        (self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)).max(1)
    }
}

impl Limit {
    /// The limit of this name, which is part of what it is kept under.
    pub const fn new(name: &'static str, rate: Rate, limiter: Arc<Limiter>) -> Self {
        Self(Some(Bounded { name, rate, limiter }))
    }

    /// Counts one.
    pub async fn take(&self, subject: &Subject<'_>) -> Result<(), Exceeded> {
        self.take_many(subject, 1).await
    }

    /// Counts so many at once, or none of them. More than there may be at once count as that many.
    pub async fn take_many(&self, subject: &Subject<'_>, count: u32) -> Result<(), Exceeded> {
        let Some(bounded) = &self.0 else { return Ok(()) };
        let Bounded { name, rate, limiter } = bounded;
        let taken = limiter.take(name, subject, *rate, count).await;
        taken.map_err(|wait| bounded.exceeded(wait, subject))
    }

    /// Whether one more may happen, without counting it. Of several that look at the same time all
    /// may be told so.
    pub async fn look(&self, subject: &Subject<'_>) -> Result<(), Exceeded> {
        let Some(bounded) = &self.0 else { return Ok(()) };
        let Bounded { name, rate, limiter } = bounded;
        let there = limiter.look(name, subject, *rate).await;
        there.map_err(|wait| bounded.exceeded(wait, subject))
    }
}

impl Bounded {
    fn exceeded(&self, wait: Duration, subject: &Subject<'_>) -> Exceeded {
        let exceeded = Exceeded { limit: self.name, rate: self.rate, wait };
        self.limiter.lines.refused(&exceeded, subject, self.limiter.now());
        exceeded
    }
}
