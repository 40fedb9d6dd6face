//! Grants.

use super::{Damage, MINUTE, OAuthHarness, assert_corrupt, done, grant_id};
use crate::{
    Timestamp,
    oauth::{Grant, GrantId, GrantRecord},
};

pub(super) fn record() -> GrantRecord {
    GrantRecord {
        user: "alice".into(),
        client: "c".into(),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        created_at: Timestamp::from_millis(1),
    }
}

async fn create(harness: &dyn OAuthHarness) -> GrantId {
    let id = grant_id();
    done(harness.store().create_grant(&id, &record(), MINUTE).await);
    id
}

async fn revoked(harness: &dyn OAuthHarness, id: &GrantId) -> Option<bool> {
    done(harness.store().grant(id).await).map(|grant| grant.revoked)
}

/// A grant is read as it was written, until its life ends.
pub async fn is_found_until_its_life_ends(harness: &dyn OAuthHarness) {
    assert_eq!(revoked(harness, &grant_id()).await, None);
    let id = create(harness).await;
    let found = done(harness.store().grant(&id).await);
    assert_eq!(found, Some(Grant { record: record(), revoked: false }));
    harness.pass(MINUTE).await;
    assert_eq!(revoked(harness, &id).await, None);
}

/// Use keeps a grant; a shorter life than what is left changes nothing.
pub async fn lives_longer_when_prolonged(harness: &dyn OAuthHarness) {
    let id = create(harness).await;
    assert!(done(harness.store().prolong_grant(&id, 2 * MINUTE).await));
    assert!(done(harness.store().prolong_grant(&id, MINUTE / 60).await));
    harness.pass(MINUTE).await;
    assert_eq!(revoked(harness, &id).await, Some(false));
    harness.pass(MINUTE).await;
    assert_eq!(revoked(harness, &id).await, None);
    assert!(!done(harness.store().prolong_grant(&id, MINUTE).await), "it is gone");
}

/// A revoked grant says so as long as it would have lived, and is not prolonged.
pub async fn is_not_prolonged_when_revoked(harness: &dyn OAuthHarness) {
    let id = create(harness).await;
    for _ in 0..2 {
        assert!(done(harness.store().revoke_grant(&id).await));
    }
    assert_eq!(revoked(harness, &id).await, Some(true));
    assert!(!done(harness.store().prolong_grant(&id, 2 * MINUTE).await));
    harness.pass(MINUTE).await;
    assert_eq!(revoked(harness, &id).await, None);
}

/// A late repetition of `create_grant` does not undo a revocation.
pub async fn stays_revoked_when_put_again(harness: &dyn OAuthHarness) {
    let id = create(harness).await;
    assert!(done(harness.store().revoke_grant(&id).await));
    done(harness.store().create_grant(&id, &record(), MINUTE).await);
    assert_eq!(revoked(harness, &id).await, Some(true));
}

/// Revoking leaves no trace of a grant that was not there.
pub async fn revoking_an_unknown_one_says_so(harness: &dyn OAuthHarness) {
    let id = grant_id();
    assert!(!done(harness.store().revoke_grant(&id).await));
    assert_eq!(revoked(harness, &id).await, None);
}

/// A damaged grant is an error, never "not there".
pub async fn damaged_is_an_error(harness: &dyn OAuthHarness) {
    let id = create(harness).await;
    harness.damage(Damage::Grant(&id)).await;
    assert_corrupt(&harness.store().grant(&id).await);
}
