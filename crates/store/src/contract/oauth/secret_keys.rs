//! The server's own keys.

use super::{OAuthHarness, all_at_once, done};
use crate::{SecretKeys, SystemRandom};

/// The ring that came first is given to everyone who comes later.
pub async fn the_first_ring_stays(harness: &dyn OAuthHarness) {
    let (first, second) =
        (SecretKeys::generate(&SystemRandom), SecretKeys::generate(&SystemRandom));
    for offered in [&first, &second] {
        let kept = done(harness.keys().secret_keys(offered).await);
        assert!(*kept.expose() == *first.expose());
    }
}

/// Instances that start at the same time end up with one ring.
pub async fn everyone_gets_the_same_ring(harness: &dyn OAuthHarness) {
    let rings = all_at_once(|| {
        let keys = harness.keys();
        async move { keys.secret_keys(&SecretKeys::generate(&SystemRandom)).await }
    })
    .await;
    assert!(rings.iter().all(|ring| *ring.expose() == *rings[0].expose()));
}
