//! What says that this instance lives.

use tokio::time::{MissedTickBehavior, interval};

use super::{BEAT, LEASE, payload};
use crate::{
    InstanceId, Ringer,
    redis::{Redis, keys, script},
};

/// Keeps the instance's lease alive for as long as somebody listens, and gives it back then.
pub(super) async fn run(redis: &Redis, instance: &InstanceId, ringer: &Ringer) {
    let lease = keys::instance(instance);
    let mut beat = script::call(&script::BEAT, &lease);
    beat.arg(LEASE.as_millis().to_string()).arg(payload::BEAT);
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = ringer.closed() => break,
            _ = beats.tick() => {}
        }
        if let Err(error) = redis.hot.run::<()>(&beat).await {
            tracing::debug!(event = "bus.unavailable", %error, "a beat was left out");
        }
    }
    if let Err(error) = redis.hot.run::<()>(redis::cmd("DEL").arg(&lease)).await {
        tracing::debug!(event = "bus.unavailable", %error, "the lease lapses by itself");
    }
}
