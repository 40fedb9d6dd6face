//! Authorization codes.

use super::{
    Damage, MANY, MINUTE, OAuthHarness, all_at_once, assert_corrupt, attempt, done, secret,
};
use crate::{
    SystemRandom,
    oauth::{CodeGrant, Redemption, Sealed, SecretHash},
};

fn good_for() -> CodeGrant {
    CodeGrant {
        client: "c".into(),
        user: "alice".into(),
        redirect_uri: "https://client.example/callback".into(),
        code_challenge: "ch".into(),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        dpop_jkt: Some("the thumbprint of a key".into()),
    }
}

async fn put(harness: &dyn OAuthHarness, secret: &str) -> SecretHash {
    let name = SecretHash::of(secret);
    let body = done(Sealed::seal(&good_for(), secret, &SystemRandom));
    done(harness.store().put_code(&name, &body, MINUTE).await);
    name
}

/// Looking at a code does not use it up; afterwards it shows that it was redeemed.
pub async fn is_seen_without_being_redeemed(harness: &dyn OAuthHarness) {
    let (store, secret) = (harness.store(), secret());
    assert!(done(store.code(&SecretHash::of(&secret)).await).is_none());
    let name = put(harness, &secret).await;
    for _ in 0..2 {
        let code = done(store.code(&name).await).expect("it is there");
        assert_eq!(done(code.body.open(&secret)), good_for());
        assert!(!code.redeemed);
    }
    done(store.redeem_code(&name, &attempt()).await);
    let code = done(store.code(&name).await).expect("it is there");
    assert_eq!(done(code.body.open(&secret)), good_for());
    assert!(code.redeemed);
}

/// The attempt that won wins again; every other one is a replay.
pub async fn is_redeemed_by_one_attempt(harness: &dyn OAuthHarness) {
    let (store, first) = (harness.store(), attempt());
    let name = put(harness, &secret()).await;
    assert_eq!(done(store.redeem_code(&name, &first).await), Redemption::Redeemed);
    assert_eq!(done(store.redeem_code(&name, &attempt()).await), Redemption::Replayed);
    assert_eq!(done(store.redeem_code(&name, &first).await), Redemption::Redeemed);
    let unknown = SecretHash::of(&secret());
    assert_eq!(done(store.redeem_code(&unknown, &first).await), Redemption::Unknown);
}

/// Exactly one of many concurrent attempts wins, and the others learn that they replay.
pub async fn is_redeemed_once_by_many_at_a_time(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    let outcomes = all_at_once(|| {
        let store = harness.store();
        async move { store.redeem_code(&name, &attempt()).await }
    })
    .await;
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    assert_eq!(count(Redemption::Redeemed), 1);
    assert_eq!(count(Redemption::Replayed), MANY - 1);
}

/// After its life it is unknown, redeemed or not.
pub async fn ends_with_its_life(harness: &dyn OAuthHarness) {
    let (store, first) = (harness.store(), attempt());
    let (fresh, used) = (put(harness, &secret()).await, put(harness, &secret()).await);
    done(store.redeem_code(&used, &first).await);
    harness.pass(MINUTE).await;
    for name in [fresh, used] {
        assert!(done(store.code(&name).await).is_none());
        assert_eq!(done(store.redeem_code(&name, &first).await), Redemption::Unknown);
    }
}

/// A late repetition of `put_code` does not make it good for a second use.
pub async fn stays_redeemed_when_put_again(harness: &dyn OAuthHarness) {
    let secret = secret();
    let name = put(harness, &secret).await;
    done(harness.store().redeem_code(&name, &attempt()).await);
    put(harness, &secret).await;
    let again = done(harness.store().redeem_code(&name, &attempt()).await);
    assert_eq!(again, Redemption::Replayed);
}

/// A damaged code is an error, never "unknown".
pub async fn damaged_is_an_error(harness: &dyn OAuthHarness) {
    let secret = secret();
    let name = put(harness, &secret).await;
    harness.damage(Damage::Code(&name)).await;
    let code = harness.store().code(&name).await;
    assert_corrupt(&code.and_then(|code| code.expect("it is there").body.open(&secret)));
}
