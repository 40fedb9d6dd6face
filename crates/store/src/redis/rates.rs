//! Rates in Redis, counted for all instances together.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use tracing::instrument;

use super::{Redis, keys, script, unreadable};
use crate::{Rate, RateKey, Rates, StoreError, Taken, noted, spans::TARGET};

/// Rates in Redis. Each is one key, changed by one script, by Redis's own clock; it ends when all
/// that was taken has come back. A failover may forget some of what was taken.
pub struct RedisRates(Redis);

impl RedisRates {
    /// The rates that are counted there.
    pub const fn new(redis: Redis) -> Self {
        Self(redis)
    }
}

impl fmt::Debug for RedisRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisRates")
    }
}

#[async_trait]
impl Rates for RedisRates {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn take(&self, key: &RateKey, rate: Rate, most: u32) -> Result<Taken, StoreError> {
        noted("take");
        let key = keys::rate(key);
        let mut take = script::call(&script::TAKE_RATE, &key);
        take.arg(rate.each()).arg(rate.all()).arg(most);
        let taken = self.0.hot.run::<(u32, u64)>(&take).await;
        let (count, wait) = taken.map_err(|error| match error {
            StoreError::Corrupt { reason, .. } => unreadable(key, &reason),
            StoreError::Unavailable { .. } | StoreError::LimitReached { .. } => error,
        })?;
        Ok(Taken { count, wait: Duration::from_micros(wait) })
    }
}
