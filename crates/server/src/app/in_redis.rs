//! Everything kept in Redis, for all instances together.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{
    Limiter, Limits, MonotonicClock,
    redis::{
        Observer, Redis, RedisAddress, RedisBus, RedisOAuth, RedisRates, RedisStore, Unreachable,
    },
};
use tokio::time::{Instant, sleep};

use super::{
    StartError,
    base::{Connected, Stores},
};

/// How long Redis may take to come, as when everything is started at once.
const PATIENCE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn stores(
    address: &RedisAddress,
    limits: Limits,
    observer: Arc<dyn Observer>,
) -> Result<Stores, StartError> {
    let redis = Redis::connect(address, observer)?;
    reached(&redis, address).await?;
    let oauth = Arc::new(RedisOAuth::new(redis.clone()));
    let bus = Arc::new(RedisBus::new(redis.clone()));
    let rates = Arc::new(RedisRates::new(redis.clone()));
    Ok(Stores {
        sessions: Arc::new(RedisStore::new(redis.clone(), limits)),
        bus: Arc::clone(&bus) as _,
        oauth: Arc::clone(&oauth) as _,
        keys: oauth,
        limiter: Arc::new(Limiter::sharing(rates, Arc::new(MonotonicClock::start()))),
        redis: Some(Connected { connections: redis, bus }),
    })
}

/// Waits for Redis, but not for one that refuses: that does not get better.
async fn reached(redis: &Redis, address: &RedisAddress) -> Result<(), StartError> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let why = match redis.reach().await {
            Ok(()) => return Ok(()),
            Err(why) => why,
        };
        let over = started.elapsed() + pause >= PATIENCE;
        if over || matches!(why, Unreachable::Refused { .. }) {
            let advice = advice(&why);
            return Err(StartError::Redis { address: address.to_string(), why, advice });
        }
        tracing::warn!(event = "redis.awaited", redis = %address, error = %why,
            "Redis is not there yet; the start waits for it, 30 s at most");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn advice(why: &Unreachable) -> &'static str {
    match why {
        Unreachable::Away { .. } => {
            "start it there, or leave REDIS_URL out to keep everything in memory"
        }
        Unreachable::Refused { .. } => "look at REDIS_URL, REDIS_PASSWORD and REDIS_TLS_CA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_never_comes_is_given_up() {
        // A port that was free just now.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("redis://:hush@{}", listener.local_addr().unwrap());
        drop(listener);
        let address: RedisAddress = address.parse().unwrap();
        let redis = Redis::connect(&address, Arc::new(())).unwrap();
        let started = Instant::now();
        let error = reached(&redis, &address).await.unwrap_err();
        assert!(matches!(error, StartError::Redis { why: Unreachable::Away { .. }, .. }));
        assert!(started.elapsed() <= PATIENCE + Duration::from_secs(5));
        let told = error.to_string();
        assert!(told.contains(&address.to_string()) && !told.contains("hush"), "{told}");
        assert!(told.contains("leave REDIS_URL out"), "{told}");
    }
}
