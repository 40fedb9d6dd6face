//! What says that this instance lives.

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{BEAT, LEASE, payload};
use crate::{
    InstanceId, Ringer,
    redis::{Redis, keys, script},
};

/// Keeps the instance's lease alive for as long as somebody listens, and gives it back then.
/// Beats say when they were sent, counted from `began`.
pub(super) async fn run(redis: &Redis, instance: &InstanceId, ringer: &Ringer, began: Instant) {
    let lease = keys::instance(instance);
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = ringer.closed() => break,
            _ = beats.tick() => {}
        }
        redis.recent.let_go();
        let mut beat = script::call(&script::BEAT, &lease);
        let at = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        beat.arg(LEASE.as_millis().to_string()).arg(payload::beat(at));
        if let Err(error) = redis.hot.run::<()>(&beat).await {
            redis.observer.beat_missed();
            tracing::debug!(event = "bus.unavailable", %error, "a beat was left out");
        }
    }
    if let Err(error) = redis.hot.run::<()>(redis::cmd("DEL").arg(&lease)).await {
        tracing::debug!(event = "bus.unavailable", %error, "the lease lapses by itself");
    }
}
