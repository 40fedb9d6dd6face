//! Registrations.

use super::{Damage, MINUTE, OAuthHarness, assert_corrupt, done};
use crate::{
    StoreError, Timestamp,
    oauth::{ClientAuth, ClientKeys, ClientRecord, SecretHash},
};

fn client(id: &str) -> ClientRecord {
    ClientRecord {
        id: id.into(),
        name: Some("A client".into()),
        uri: None,
        redirect_uris: vec!["https://client.example/callback".into()],
        auth: ClientAuth::ClientSecretPost { secret: SecretHash::of("its secret") },
        grant_types: vec!["authorization_code".into()],
        scope: None,
        application_type: None,
        software_id: None,
        software_version: None,
        dpop_bound_access_tokens: false,
        registered_at: Timestamp::from_millis(1),
    }
}

async fn put(harness: &dyn OAuthHarness, id: &str, capacity: usize) -> Result<(), StoreError> {
    harness.store().put_client(&client(id), MINUTE, capacity).await
}

async fn is_there(harness: &dyn OAuthHarness, id: &str) -> bool {
    done(harness.store().client(id).await).is_some()
}

/// A registration is read as it was written, until its life ends.
pub async fn is_found_until_its_life_ends(harness: &dyn OAuthHarness) {
    assert!(!is_there(harness, "a").await);
    done(put(harness, "a", 9).await);
    assert_eq!(done(harness.store().client("a").await), Some(client("a")));
    harness.pass(MINUTE).await;
    assert!(!is_there(harness, "a").await);
}

/// Whatever a client proves itself with is read as it was written.
pub async fn is_read_back_however_it_authenticates(harness: &dyn OAuthHarness) {
    let secret = SecretHash::of("its secret");
    let jwks = serde_json::json!({"keys": [{"kty": "EC", "x": "b", "a": 1}]});
    let uri = "https://client.example/jwks".to_owned();
    for (id, auth) in [
        ("a", ClientAuth::None),
        ("b", ClientAuth::ClientSecretBasic { secret }),
        ("c", ClientAuth::ClientSecretPost { secret }),
        ("d", ClientAuth::PrivateKeyJwt { keys: ClientKeys::Jwks(jwks) }),
        ("e", ClientAuth::PrivateKeyJwt { keys: ClientKeys::JwksUri(uri) }),
    ] {
        let client = ClientRecord { auth, ..client(id) };
        done(harness.store().put_client(&client, MINUTE, 9).await);
        assert_eq!(done(harness.store().client(id).await), Some(client));
    }
}

/// Use keeps a registration.
pub async fn lives_longer_when_prolonged(harness: &dyn OAuthHarness) {
    done(put(harness, "a", 9).await);
    harness.pass(MINUTE / 2).await;
    assert!(done(harness.store().prolong_client("a", MINUTE).await));
    harness.pass(MINUTE / 2).await;
    assert!(is_there(harness, "a").await);
    harness.pass(MINUTE / 2).await;
    assert!(!is_there(harness, "a").await);
}

/// A shorter life than what is left changes nothing.
pub async fn is_not_shortened_by_prolonging(harness: &dyn OAuthHarness) {
    done(put(harness, "a", 9).await);
    assert!(done(harness.store().prolong_client("a", MINUTE / 60).await));
    harness.pass(MINUTE / 2).await;
    assert!(is_there(harness, "a").await);
}

/// A repeated `put` neither fails, nor changes the record, nor lengthens its life.
pub async fn stays_as_it_was_when_put_again(harness: &dyn OAuthHarness) {
    done(put(harness, "a", 1).await);
    harness.pass(MINUTE / 2).await;
    let changed = ClientRecord { name: None, ..client("a") };
    done(harness.store().put_client(&changed, MINUTE, 1).await);
    assert_eq!(done(harness.store().client("a").await), Some(client("a")));
    harness.pass(MINUTE / 2).await;
    assert!(!is_there(harness, "a").await);
}

/// At the limit, the oldest registration that nobody used gives way.
pub async fn oldest_unused_makes_room(harness: &dyn OAuthHarness) {
    for id in ["used", "oldest", "older", "newer"] {
        done(put(harness, id, 4).await);
        harness.pass(MINUTE / 60).await;
    }
    done(harness.store().prolong_client("used", MINUTE).await);
    done(put(harness, "newest", 4).await);
    harness.pass(MINUTE / 60).await;
    assert!(!is_there(harness, "oldest").await && is_there(harness, "older").await);
    done(put(harness, "last", 4).await);
    assert!(!is_there(harness, "older").await);
    for id in ["used", "newer", "newest", "last"] {
        assert!(is_there(harness, id).await, "{id}");
    }
}

/// Registrations in use are never given up for new ones.
pub async fn used_ones_do_not_make_room(harness: &dyn OAuthHarness) {
    for id in ["a", "b"] {
        done(put(harness, id, 2).await);
        done(harness.store().prolong_client(id, MINUTE).await);
    }
    done(put(harness, "a", 2).await);
    let refused = put(harness, "c", 2).await;
    assert!(matches!(refused, Err(StoreError::LimitReached { limit: 2, .. })), "{refused:?}");
    assert!(is_there(harness, "a").await && is_there(harness, "b").await);
    assert!(!is_there(harness, "c").await);
}

/// A registration that gives way in vain would be lost for nothing.
pub async fn nobody_makes_room_in_vain(harness: &dyn OAuthHarness) {
    for id in ["used", "also used", "unused"] {
        done(put(harness, id, 3).await);
    }
    for id in ["used", "also used"] {
        done(harness.store().prolong_client(id, MINUTE).await);
    }
    let refused = put(harness, "new", 2).await;
    assert!(matches!(refused, Err(StoreError::LimitReached { limit: 2, .. })), "{refused:?}");
    assert!(is_there(harness, "unused").await);
}

/// What has expired does not count towards the limit.
pub async fn expired_ones_make_room(harness: &dyn OAuthHarness) {
    done(put(harness, "a", 1).await);
    done(harness.store().prolong_client("a", MINUTE).await);
    harness.pass(MINUTE).await;
    done(put(harness, "b", 1).await);
    assert!(is_there(harness, "b").await);
}

/// A client that was forgotten is not brought back.
pub async fn prolonging_an_unknown_one_says_so(harness: &dyn OAuthHarness) {
    assert!(!done(harness.store().prolong_client("a", MINUTE).await));
    done(put(harness, "a", 9).await);
    harness.pass(MINUTE).await;
    assert!(!done(harness.store().prolong_client("a", MINUTE).await));
    assert!(!is_there(harness, "a").await);
}

/// A damaged registration is an error, never "not registered".
pub async fn damaged_is_an_error(harness: &dyn OAuthHarness) {
    done(put(harness, "a", 9).await);
    harness.damage(Damage::Client("a")).await;
    assert_corrupt(&harness.store().client("a").await);
}
