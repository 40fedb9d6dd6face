//! What says that this instance lives.

use tokio::{
    sync::Notify,
    time::{Instant, Interval, MissedTickBehavior, interval},
};

use super::{BEAT, LEASE, payload};
use crate::{
    InstanceId, Ringer,
    redis::{Redis, keys, script},
};

/// Keeps the instance's lease alive for as long as somebody listens, and gives it back then.
/// Beats say when they were sent, counted from `began`. There is one more whenever it begins to
/// listen: until it hears one, nothing is believed here and every call asks.
pub(super) async fn run(
    redis: &Redis,
    instance: &InstanceId,
    ringer: &Ringer,
    began: Instant,
    listens: &Notify,
) {
    let lease = keys::instance(instance);
    let mut beats = beats();
    loop {
        tokio::select! {
            biased;
            () = ringer.closed() => break,
            () = due(&mut beats, listens) => {}
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

fn beats() -> Interval {
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}

/// Returns when it is time for the next one.
async fn due(beats: &mut Interval, listens: &Notify) {
    tokio::select! {
        biased;
        () = listens.notified() => beats.reset(),
        _ = beats.tick() => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_is_due_as_soon_as_it_can_be_heard() {
        let (mut beats, listens, began) = (beats(), Notify::new(), Instant::now());
        due(&mut beats, &listens).await;
        listens.notify_one();
        due(&mut beats, &listens).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        due(&mut beats, &listens).await;
        assert_eq!(began.elapsed(), BEAT);
    }
}
