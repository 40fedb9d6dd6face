//! Logins under way.

use super::{
    Damage, MANY, MINUTE, OAuthHarness, all_at_once, assert_corrupt, attempt, done, secret,
};
use crate::{
    SystemRandom,
    oauth::{PendingAuthorization, Sealed, SecretHash},
};

fn login() -> PendingAuthorization {
    PendingAuthorization {
        client: "c".into(),
        redirect_uri: "https://client.example/callback".into(),
        state: Some("s".into()),
        code_challenge: "ch".into(),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        browser: SecretHash::of("cookie"),
        upstream_memo: String::new(),
    }
}

async fn put(harness: &dyn OAuthHarness, secret: &str) -> SecretHash {
    let name = SecretHash::of(secret);
    let body = done(Sealed::seal(&login(), secret, &SystemRandom));
    done(harness.store().put_pending(&name, &body, MINUTE).await);
    name
}

/// It can be looked at any number of times before it is taken, and not after.
pub async fn is_seen_until_it_is_taken(harness: &dyn OAuthHarness) {
    let (store, secret) = (harness.store(), secret());
    assert!(done(store.pending(&SecretHash::of(&secret)).await).is_none());
    let name = put(harness, &secret).await;
    for _ in 0..2 {
        let body = done(store.pending(&name).await).expect("it is there");
        assert!(done(body.open(&secret)) == login());
    }
    assert!(done(store.take_pending(&name, &attempt()).await));
    assert!(done(store.pending(&name).await).is_none());
}

/// The attempt that got it gets it again; no other does.
pub async fn is_taken_by_one_attempt(harness: &dyn OAuthHarness) {
    let (store, first) = (harness.store(), attempt());
    let name = put(harness, &secret()).await;
    assert!(done(store.take_pending(&name, &first).await));
    assert!(!done(store.take_pending(&name, &attempt()).await));
    assert!(done(store.take_pending(&name, &first).await));
    assert!(!done(store.take_pending(&SecretHash::of(&secret()), &first).await));
}

/// Exactly one of many concurrent attempts gets it.
pub async fn is_taken_once_by_many_at_a_time(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    let taken = all_at_once(|| {
        let store = harness.store();
        async move { store.take_pending(&name, &attempt()).await }
    })
    .await;
    assert_eq!(taken.len(), MANY);
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
}

/// After its life it cannot be seen or taken.
pub async fn ends_with_its_life(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    harness.pass(MINUTE).await;
    assert!(done(harness.store().pending(&name).await).is_none());
    assert!(!done(harness.store().take_pending(&name, &attempt()).await));
}

/// A late repetition of `put` does not make it good for a second use.
pub async fn does_not_come_back_when_put_again(harness: &dyn OAuthHarness) {
    let secret = secret();
    let name = put(harness, &secret).await;
    assert!(done(harness.store().take_pending(&name, &attempt()).await));
    put(harness, &secret).await;
    assert!(done(harness.store().pending(&name).await).is_none());
    assert!(!done(harness.store().take_pending(&name, &attempt()).await));
}

/// A damaged record is an error, never "not there".
pub async fn damaged_is_an_error(harness: &dyn OAuthHarness) {
    let secret = secret();
    let name = put(harness, &secret).await;
    harness.damage(Damage::Pending(&name)).await;
    let body = harness.store().pending(&name).await;
    assert_corrupt(&body.and_then(|body| body.expect("it is there").open(&secret).map(|_| ())));
}
