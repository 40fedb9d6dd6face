//! What is good once.

use super::{MANY, MINUTE, OAuthHarness, all_at_once, attempt, done, secret};
use crate::oauth::SecretHash;

/// The attempt that came first is told so whenever it asks; no other is.
pub async fn the_first_attempt_has_it(harness: &dyn OAuthHarness) {
    let (store, name, first) = (harness.store(), SecretHash::of(&secret()), attempt());
    for (attempt, is_first) in
        [(first, true), (attempt(), false), (first, true), (attempt(), false)]
    {
        assert_eq!(done(store.remember_once(&name, &attempt, MINUTE).await), is_first);
    }
    let other = SecretHash::of(&secret());
    assert!(done(store.remember_once(&other, &attempt(), MINUTE).await));
}

/// Exactly one of many concurrent attempts is the first.
pub async fn one_of_many_at_a_time_has_it(harness: &dyn OAuthHarness) {
    let name = SecretHash::of(&secret());
    let first = all_at_once(|| {
        let store = harness.store();
        async move { store.remember_once(&name, &attempt(), MINUTE).await }
    })
    .await;
    assert_eq!(first.len(), MANY);
    assert_eq!(first.iter().filter(|first| **first).count(), 1);
}

/// It is remembered for the life it was brought with, which no replay prolongs.
pub async fn is_forgotten_after_its_life(harness: &dyn OAuthHarness) {
    let (store, name, first) = (harness.store(), SecretHash::of(&secret()), attempt());
    assert!(done(store.remember_once(&name, &first, MINUTE).await));
    harness.pass(MINUTE / 2).await;
    assert!(!done(store.remember_once(&name, &attempt(), 2 * MINUTE).await));
    assert!(done(store.remember_once(&name, &first, 2 * MINUTE).await));
    harness.pass(MINUTE / 2).await;
    assert!(done(store.remember_once(&name, &attempt(), MINUTE).await));
}
