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
        client_name: Some("A Client".into()),
        redirect_uri: Some("https://client.example/callback".into()),
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

async fn listed(harness: &dyn OAuthHarness, user: &str, most: usize) -> Vec<GrantId> {
    let listed = done(harness.store().grants_of(user, most).await);
    listed.into_iter().map(|grant| grant.id).collect()
}

/// A user's grants are listed, those that end last first, and nobody else's.
pub async fn is_listed_for_its_user(harness: &dyn OAuthHarness) {
    let store = harness.store();
    assert_eq!(listed(harness, "alice", 9).await, []);
    let (first, second, other) = (create(harness).await, grant_id(), grant_id());
    let nameless = GrantRecord { client_name: None, redirect_uri: None, ..record() };
    done(store.create_grant(&second, &nameless, 2 * MINUTE).await);
    done(store.create_grant(&other, &GrantRecord { user: "bob".into(), ..record() }, MINUTE).await);
    assert_eq!(listed(harness, "alice", 9).await, [second, first]);
    assert_eq!(listed(harness, "alice", 1).await, [second]);
    assert_eq!(listed(harness, "bob", 9).await, [other]);
    for nobody in ["", "alic", "alice ", "Alice", "bob*"] {
        assert_eq!(listed(harness, nobody, 9).await, [], "{nobody}");
    }
    let found = done(store.grants_of("alice", 9).await);
    assert_eq!((&found[0].record, &found[1].record), (&nameless, &record()));
    let left = found[0].ends_in;
    assert!(MINUTE < left && left <= 2 * MINUTE, "{left:?}");
    assert!(done(store.revoke_grant(&second).await));
    assert_eq!(listed(harness, "alice", 9).await, [first]);
}

/// A list knows of what was prolonged, and forgets what has ended.
pub async fn is_listed_as_long_as_it_lives(harness: &dyn OAuthHarness) {
    let (first, second) = (create(harness).await, create(harness).await);
    assert!(done(harness.store().prolong_grant(&first, 3 * MINUTE).await));
    assert_eq!(listed(harness, "alice", 9).await, [first, second]);
    harness.pass(MINUTE).await;
    assert_eq!(listed(harness, "alice", 9).await, [first]);
    harness.pass(MINUTE).await;
    assert_eq!(listed(harness, "alice", 9).await, [first]);
    harness.pass(MINUTE).await;
    assert_eq!(listed(harness, "alice", 9).await, []);
}

/// A late repetition of `create_grant` lists nothing twice, and nothing that was revoked.
pub async fn is_listed_once_when_put_again(harness: &dyn OAuthHarness) {
    let store = harness.store();
    let (id, revoked) = (create(harness).await, create(harness).await);
    assert!(done(store.revoke_grant(&revoked).await));
    for id in [&id, &revoked] {
        done(store.create_grant(id, &record(), MINUTE).await);
    }
    assert_eq!(listed(harness, "alice", 9).await, [id]);
}

/// What is revoked takes no place in a list that is as long as it may be.
pub async fn more_are_listed_when_others_are_revoked(harness: &dyn OAuthHarness) {
    let store = harness.store();
    let mut ids = Vec::new();
    for minutes in 1..=5 {
        let id = grant_id();
        done(store.create_grant(&id, &record(), minutes * MINUTE).await);
        ids.insert(0, id);
    }
    for id in [ids[0], ids[1], ids[3]] {
        assert!(done(store.revoke_grant(&id).await));
    }
    assert_eq!(listed(harness, "alice", 2).await, [ids[2], ids[4]]);
    assert_eq!(listed(harness, "alice", 2).await, [ids[2], ids[4]], "the same again");
}

/// A damaged grant is an error, never "not there".
pub async fn damaged_is_an_error(harness: &dyn OAuthHarness) {
    let id = create(harness).await;
    harness.damage(Damage::Grant(&id)).await;
    assert_corrupt(&harness.store().grant(&id).await);
    assert_corrupt(&harness.store().grants_of("alice", 9).await);
}
