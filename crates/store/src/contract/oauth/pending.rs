//! Logins under way.

use super::{
    Damage, MANY, MINUTE, OAuthHarness, all_at_once, assert_corrupt, attempt, done, secret,
};
use crate::{
    SystemRandom,
    oauth::{LoginPurpose, PendingAuthorization, PendingLogin, Sealed, SecretHash},
};

fn login() -> PendingLogin {
    let authorization = PendingAuthorization {
        client: "c".into(),
        redirect_uri: "https://client.example/callback".into(),
        state: Some("s".into()),
        code_challenge: "ch".into(),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        dpop_jkt: Some("the thumbprint of a key".into()),
    };
    PendingLogin {
        purpose: LoginPurpose::Authorize(authorization),
        browser: SecretHash::of("cookie"),
        upstream_url: "https://provider.example/authorize".into(),
        upstream_memo: String::new(),
    }
}

async fn put(harness: &dyn OAuthHarness, secret: &str) -> SecretHash {
    put_one(harness, secret, &login()).await;
    SecretHash::of(secret)
}

/// Puts a login, and gives the one that is kept.
async fn put_one(
    harness: &dyn OAuthHarness,
    secret: &str,
    login: &PendingLogin,
) -> Option<PendingLogin> {
    let body = done(Sealed::seal(login, secret, &SystemRandom));
    let kept = done(harness.store().put_pending(&SecretHash::of(secret), &body, MINUTE).await);
    kept.map(|kept| done(kept.open(secret)))
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

/// Another login of the same name neither replaces nor prolongs it, and whoever brings one gets the
/// one that is kept.
pub async fn the_first_of_a_name_stays(harness: &dyn OAuthHarness) {
    let (secret, second) = (secret(), PendingLogin { purpose: LoginPurpose::Account, ..login() });
    assert!(put_one(harness, &secret, &login()).await == Some(login()));
    harness.pass(MINUTE / 2).await;
    assert!(put_one(harness, &secret, &second).await == Some(login()));
    let kept = done(harness.store().pending(&SecretHash::of(&secret)).await).expect("it is there");
    assert!(done(kept.open(&secret)) == login());
    harness.pass(MINUTE / 2).await;
    assert!(put_one(harness, &secret, &second).await == Some(second));
}

/// Many at a time that bring one name all get the same login.
pub async fn one_of_a_name_is_kept_of_many_at_a_time(harness: &dyn OAuthHarness) {
    let secret = secret();
    let name = SecretHash::of(&secret);
    let kept = all_at_once(|| {
        let (store, secret) = (harness.store(), secret.clone());
        async move {
            let body = Sealed::seal(&login(), &secret, &SystemRandom)?;
            store.put_pending(&name, &body, MINUTE).await
        }
    })
    .await;
    let bytes = |kept: &Option<Sealed<_>>| kept.as_ref().map(|kept| kept.as_bytes().to_vec());
    assert!(kept[0].is_some());
    assert!(kept.iter().all(|other| bytes(other) == bytes(&kept[0])));
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
    assert!(put_one(harness, &secret, &login()).await.is_none());
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
