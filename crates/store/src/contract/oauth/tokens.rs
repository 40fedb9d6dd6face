//! Access tokens.

use super::{Damage, MINUTE, OAuthHarness, assert_corrupt, done, grant_id, grants, secret};
use crate::{
    SystemRandom, Timestamp,
    oauth::{AccessToken, GrantId, IssuedToken, Sealed, SecretHash},
};

fn allows() -> IssuedToken {
    IssuedToken {
        user: "alice".into(),
        client: "c".into(),
        scope: "mcp:read".into(),
        audience: "https://server.example/mcp".into(),
        issued_at: Timestamp::from_millis(1),
        expires_at: Timestamp::from_millis(2),
        confirmation: Some("the thumbprint of a key".into()),
    }
}

async fn grant(harness: &dyn OAuthHarness) -> GrantId {
    let id = grant_id();
    done(harness.store().create_grant(&id, &grants::record(), 10 * MINUTE).await);
    id
}

async fn put(harness: &dyn OAuthHarness, secret: &str) -> SecretHash {
    let name = SecretHash::of(secret);
    let body = done(Sealed::seal(&allows(), secret, &SystemRandom));
    done(harness.store().put_access_token(&name, &body, MINUTE).await);
    name
}

async fn look_up(
    harness: &dyn OAuthHarness,
    name: &SecretHash,
    grant: &GrantId,
) -> Option<AccessToken> {
    done(harness.store().access_token(name, grant).await)
}

/// It is read as it was written and says how long it has, until its life ends.
pub async fn is_good_until_its_life_ends(harness: &dyn OAuthHarness) {
    let (grant, secret) = (grant(harness).await, secret());
    assert!(look_up(harness, &SecretHash::of(&secret), &grant).await.is_none());
    let name = put(harness, &secret).await;
    harness.pass(MINUTE / 2).await;
    let token = look_up(harness, &name, &grant).await.expect("it is good");
    assert_eq!(done(token.body.open(&secret)), allows());
    assert!(token.expires_in <= MINUTE / 2, "{:?}", token.expires_in);
    assert!(token.expires_in > MINUTE / 3, "{:?}", token.expires_in);
    harness.pass(MINUTE / 2).await;
    assert!(look_up(harness, &name, &grant).await.is_none());
}

/// Without a living grant it is worth nothing.
pub async fn needs_its_grant(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    assert!(look_up(harness, &name, &grant_id()).await.is_none());
    let short = grant_id();
    done(harness.store().create_grant(&short, &grants::record(), MINUTE / 2).await);
    assert!(look_up(harness, &name, &short).await.is_some());
    harness.pass(MINUTE / 2).await;
    assert!(look_up(harness, &name, &short).await.is_none());
}

/// Revoking the grant kills every token at once, and no other grant's.
pub async fn dies_with_its_grant(harness: &dyn OAuthHarness) {
    let (mine, other) = (grant(harness).await, grant(harness).await);
    let tokens = [put(harness, &secret()).await, put(harness, &secret()).await];
    done(harness.store().revoke_grant(&mine).await);
    for name in tokens {
        assert!(look_up(harness, &name, &mine).await.is_none());
        assert!(look_up(harness, &name, &other).await.is_some());
    }
}

/// A token that was being issued while its grant was revoked does not escape.
pub async fn issued_after_the_revocation_is_dead(harness: &dyn OAuthHarness) {
    let grant = grant(harness).await;
    done(harness.store().revoke_grant(&grant).await);
    let name = put(harness, &secret()).await;
    assert!(look_up(harness, &name, &grant).await.is_none());
}

/// Revoking one token leaves the others of its grant alone.
pub async fn dies_alone(harness: &dyn OAuthHarness) {
    let grant = grant(harness).await;
    let (one, other) = (put(harness, &secret()).await, put(harness, &secret()).await);
    for _ in 0..2 {
        done(harness.store().revoke_access_token(&one).await);
    }
    assert!(look_up(harness, &one, &grant).await.is_none());
    assert!(look_up(harness, &other, &grant).await.is_some());
}

/// A late repetition of `put_access_token` does not undo a revocation, at any time at which the
/// token would still have been good.
pub async fn does_not_come_back_when_put_again(harness: &dyn OAuthHarness) {
    let (grant, secret) = (grant(harness).await, secret());
    let name = put(harness, &secret).await;
    done(harness.store().revoke_access_token(&name).await);
    put(harness, &secret).await;
    assert!(look_up(harness, &name, &grant).await.is_none());
    harness.pass(MINUTE * 3 / 4).await;
    put(harness, &secret).await;
    assert!(look_up(harness, &name, &grant).await.is_none());
}

/// Revoking a token that is not there is no error and leaves nothing behind.
pub async fn revoking_an_unknown_one_leaves_no_mark(harness: &dyn OAuthHarness) {
    let (grant, secret) = (grant(harness).await, secret());
    done(harness.store().revoke_access_token(&SecretHash::of(&secret)).await);
    let name = put(harness, &secret).await;
    assert!(look_up(harness, &name, &grant).await.is_some());
}

/// A damaged token is an error, never "unknown".
pub async fn damaged_is_an_error(harness: &dyn OAuthHarness) {
    let (grant, secret) = (grant(harness).await, secret());
    let name = put(harness, &secret).await;
    harness.damage(Damage::AccessToken(&name)).await;
    let token = harness.store().access_token(&name, &grant).await;
    assert_corrupt(&token.and_then(|token| token.expect("it is there").body.open(&secret)));
}
