//! Whether this instance hears what is published, and since when.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{BEAT, LEASE};

/// How long nothing may be heard of one's own beats before the connection is taken for dead. A
/// Redis that was away for less has let no lease lapse.
pub(super) const SILENCE: Duration = Duration::from_millis(1200);
/// How long an instance must have heard its beats without a break before it believes that one
/// whose lease is absent is dead: after an outage all leases have lapsed.
const STEADY: Duration = Duration::from_millis(3500);
/// How long ago the newest beat that was heard may have been sent for what was published before it
/// to count as heard: no bell is overtaken by a beat. One beat may be left out.
const HEARD: Duration = Duration::from_millis(750);

const _: () = assert!(SILENCE.as_millis() + BEAT.as_millis() < LEASE.as_millis());

/// When the beats that were heard were sent, which says how things were then: one may have waited to
/// be read for as long as this process was stopped.
#[derive(Debug, Default)]
pub(in crate::redis) struct Health(Mutex<Option<Heard>>);

#[derive(Clone, Copy, Debug)]
struct Heard {
    /// The first of those that came without a break.
    since: Instant,
    last: Instant,
}

impl Health {
    /// A beat was heard that was sent then.
    pub(in crate::redis) fn heard(&self, last: Instant) {
        let mut heard = self.get();
        let since = heard.filter(|heard| last.duration_since(heard.last) < SILENCE);
        *heard = Some(Heard { since: since.map_or(last, |heard| heard.since), last });
    }

    /// The connection is lost.
    pub(in crate::redis) fn lost(&self) {
        *self.get() = None;
    }

    /// Whether what was published until a moment ago was heard here.
    pub(in crate::redis) fn is_heard(&self) -> bool {
        self.get().is_some_and(|heard| heard.last.elapsed() < HEARD)
    }

    /// How long ago a beat was heard, on the connection that there is.
    pub(super) fn ago(&self) -> Option<Duration> {
        self.get().map(|heard| heard.last.elapsed())
    }

    /// Whether what is not there is surely not there.
    pub(super) fn is_steady(&self) -> bool {
        self.get()
            .is_some_and(|heard| heard.last.elapsed() < SILENCE && heard.since.elapsed() >= STEADY)
    }

    fn get(&self) -> MutexGuard<'_, Option<Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    async fn beats(health: &Health, span: Duration) {
        let until = Instant::now() + span;
        while Instant::now() < until {
            health.heard(Instant::now());
            advance(BEAT).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_steady_after_a_while_without_a_break() {
        let health = Health::default();
        assert!(!health.is_steady(), "nothing was heard yet");
        beats(&health, STEADY / 2).await;
        assert!(!health.is_steady(), "not for long enough");
        beats(&health, STEADY / 2 + BEAT).await;
        assert!(health.is_steady());
    }

    #[tokio::test(start_paused = true)]
    async fn a_break_begins_it_anew() {
        let health = Health::default();
        beats(&health, STEADY * 2).await;
        advance(SILENCE).await;
        assert!(!health.is_steady(), "nothing was heard for a while");
        health.heard(Instant::now());
        assert!(!health.is_steady(), "there was a break");
        beats(&health, STEADY + BEAT).await;
        assert!(health.is_steady());
        health.lost();
        health.heard(Instant::now());
        assert!(!health.is_steady(), "the connection is another");
    }
}
