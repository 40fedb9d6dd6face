//! What clients set.

use std::collections::BTreeSet;

use super::{LIMITS, SECOND, SessionHarness, assert_full, done, owner, session};
use crate::{LogLevel, SessionState, SystemRandom, Written, oauth::AttemptId, session::SWITCHES};

/// Every level, no subscription.
pub async fn begins_with_nothing(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    assert_eq!(done(store.state(id).await), Some(SessionState::default()));
}

/// The level is the session's, wherever it was set.
pub async fn remembers_the_level(harness: &impl SessionHarness) {
    let store = harness.store();
    let (id, other) = (session(&*store).await, session(&*store).await);
    assert_eq!(done(store.set_level(id, LogLevel::Alert).await), Written::Done);
    assert_eq!(done(store.state(id).await).expect("it lives").level, LogLevel::Alert);
    assert_eq!(done(store.state(other).await).expect("it lives").level, LogLevel::Debug);
}

/// Subscribing twice is subscribing once, and ending one that is not there is no error.
pub async fn remembers_subscriptions(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    for uri in ["test://a", "test://b", "test://a"] {
        assert_eq!(done(store.subscribe(id, uri).await), Written::Done);
    }
    for uri in ["test://b", "test://c"] {
        assert_eq!(done(store.unsubscribe(id, uri).await), Written::Done);
    }
    let subscriptions = done(store.state(id).await).expect("it lives").subscriptions;
    assert_eq!(subscriptions, BTreeSet::from(["test://a".to_owned()]));
}

/// One session does not take all the room.
pub async fn bounds_subscriptions(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    for number in 0..LIMITS.subscriptions_per_session {
        let _ = done(store.subscribe(id, &format!("test://{number}")).await);
    }
    assert_full(&store.subscribe(id, "test://more").await);
    let _ = done(store.subscribe(id, "test://0").await);
}

/// A switch is off at first, and each attempt flips it once.
pub async fn flips_switches(harness: &impl SessionHarness) {
    let store = harness.store();
    let (id, other) = (session(&*store).await, session(&*store).await);
    for on in [true, false, true] {
        let attempt = AttemptId::draw(&SystemRandom);
        for _ in 0..2 {
            assert_eq!(done(store.flip(id, "one", &attempt).await), Some(on));
        }
    }
    let attempt = AttemptId::draw(&SystemRandom);
    assert_eq!(done(store.flip(id, "other", &attempt).await), Some(true));
    let switches = done(store.state(id).await).expect("it lives").switches;
    assert_eq!(switches, BTreeSet::from(["one".to_owned(), "other".to_owned()]));
    assert_eq!(done(store.state(other).await), Some(SessionState::default()));
    for number in 2..SWITCHES {
        let attempt = AttemptId::draw(&SystemRandom);
        let _ = done(store.flip(id, &number.to_string(), &attempt).await);
    }
    assert_full(&store.flip(id, "more", &attempt).await);
}

/// Writing to a session that is gone leaves nothing behind.
pub async fn does_not_bring_a_session_back(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    done(store.delete(id, &owner("alice")).await);
    assert_eq!(done(store.set_level(id, LogLevel::Error).await), Written::Gone);
    assert_eq!(done(store.subscribe(id, "test://a").await), Written::Gone);
    assert_eq!(done(store.unsubscribe(id, "test://a").await), Written::Gone);
    let attempt = AttemptId::draw(&SystemRandom);
    assert_eq!(done(store.flip(id, "one", &attempt).await), None);
    assert_eq!(done(store.state(id).await), None);
}

/// Only what is said to prolongs a life.
pub async fn does_not_prolong_a_session(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    harness.pass(LIMITS.session_ttl.saturating_sub(SECOND)).await;
    let _ = done(store.set_level(id, LogLevel::Error).await);
    let _ = done(store.subscribe(id, "test://a").await);
    let _ = done(store.flip(id, "one", &AttemptId::draw(&SystemRandom)).await);
    let _ = done(store.state(id).await);
    harness.pass(SECOND).await;
    assert_eq!(done(store.state(id).await), None);
}
