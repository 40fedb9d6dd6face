//! Whether Redis answers, asked over and over: `/readyz` says it without asking.

use std::time::Duration;

use mcp_everything_store::redis::Redis;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::http::Health;

const EVERY: Duration = Duration::from_millis(500);
/// Answers that fail to come in a row before requests are sent elsewhere. One may be a failover.
const MISSES: u32 = 2;

pub(super) async fn run(redis: Redis, health: Health, stop: CancellationToken) {
    stop.run_until_cancelled(watch(&redis, &health)).await;
}

async fn watch(redis: &Redis, health: &Health) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut missed = 0;
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        match redis.ping().await {
            Ok(()) => {
                health.answered_in(asked.elapsed());
                missed = 0;
                if health.set_store_away(false) {
                    tracing::info!(event = "health.ready", "Redis answers again");
                }
            }
            Err(error) => {
                missed += 1;
                if missed >= MISSES && health.set_store_away(true) {
                    tracing::warn!(event = "health.not_ready", %error,
                        "Redis does not answer: requests should go elsewhere");
                }
            }
        }
    }
}
