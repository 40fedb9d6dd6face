//! What nobody wrote is an error that names the key, and never "not there".

use mcp_everything_store::{
    KeyStore as _, SecretKeys, StoreError, SystemRandom, contract::redis_server::RedisServer,
    oauth::OAuthStore as _, redis::keys::oauth as keys,
};

use super::{
    Harness,
    fixture::{MINUTE, attempt, body, client, grant, id, name},
};

/// What a string may be changed to, as Redis commands. None of it is a state with a body.
fn damages(key: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["SET", key, "", "KEEPTTL"],
        vec!["SET", key, "no line of its own", "KEEPTTL"],
        vec!["SET", key, "1 open fresh good\nbody", "KEEPTTL"],
        vec!["EVAL", "redis.call('SET', KEYS[1], '\\255\\254\\nbody', 'KEEPTTL')", "1", key],
        vec!["EVAL", "redis.call('DEL', KEYS[1]) redis.call('LPUSH', KEYS[1], 1)", "1", key],
    ]
}

fn damage(server: &RedisServer, command: &[&str]) {
    server.ask(command).unwrap();
}

#[track_caller]
fn assert_corrupt<T: std::fmt::Debug>(answer: &Result<T, StoreError>, key: &str) {
    assert!(
        matches!(answer, Err(StoreError::Corrupt { key: said, .. }) if said == key),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_login() {
    let Harness { server, store } = Harness::new().await;
    let key = keys::pending(&name(1));
    store.put_pending(&name(1), &body(1), MINUTE).await.unwrap();
    for command in damages(&key) {
        damage(&server, &command);
        assert_corrupt(&store.pending(&name(1)).await, &key);
        assert_corrupt(&store.put_pending(&name(1), &body(1), MINUTE).await, &key);
        assert_corrupt(&store.take_pending(&name(1), &attempt()).await, &key);
    }
}

#[tokio::test]
async fn a_code() {
    let Harness { server, store } = Harness::new().await;
    let key = keys::code(&name(1));
    store.put_code(&name(1), &body(1), MINUTE).await.unwrap();
    for command in damages(&key) {
        damage(&server, &command);
        assert_corrupt(&store.code(&name(1)).await, &key);
        assert_corrupt(&store.redeem_code(&name(1), &attempt()).await, &key);
    }
}

#[tokio::test]
async fn an_access_token() {
    let Harness { server, store } = Harness::new().await;
    let key = keys::access_token(&name(1));
    store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
    store.put_access_token(&name(1), &body(1), MINUTE).await.unwrap();
    damage(&server, &["PERSIST", &key]);
    assert_corrupt(&store.access_token(&name(1), &id(1)).await, &key);
    damage(&server, &["EXPIRE", &key, "60"]);
    for command in damages(&key) {
        damage(&server, &command);
        assert_corrupt(&store.access_token(&name(1), &id(1)).await, &key);
    }
}

#[tokio::test]
async fn a_family_of_refresh_tokens() {
    let Harness { server, store } = Harness::new().await;
    let key = keys::refresh_family(&name(1));
    store.put_refresh_family(&name(1), &body(1), MINUTE).await.unwrap();
    damage(&server, &["PERSIST", &key]);
    assert_corrupt(&store.rotate_refresh(&name(1), 0, MINUTE, MINUTE).await, &key);
    damage(&server, &["EXPIRE", &key, "60"]);
    for command in damages(&key) {
        damage(&server, &command);
        assert_corrupt(&store.refresh_family(&name(1)).await, &key);
        assert_corrupt(&store.rotate_refresh(&name(1), 0, MINUTE, MINUTE).await, &key);
    }
}

#[tokio::test]
async fn a_registration() {
    let Harness { server, store } = Harness::new().await;
    let key = keys::client("a");
    store.put_client(&client("a"), MINUTE, 9).await.unwrap();
    for command in damages(&key) {
        damage(&server, &command);
        assert_corrupt(&store.client("a").await, &key);
        assert_corrupt(&store.prolong_client("a", MINUTE).await, &key);
    }
}

#[tokio::test]
async fn a_grant() {
    let Harness { server, store } = Harness::new().await;
    let key = keys::grant(&id(1));
    store.put_access_token(&name(1), &body(1), MINUTE).await.unwrap();
    for command in [
        &["HSET", &key, "state", "perhaps"][..],
        &["HDEL", &key, "state"],
        &["EVAL", "redis.call('DEL', KEYS[1]) redis.call('LPUSH', KEYS[1], 1)", "1", &key],
    ] {
        server.ask(&["DEL", &key]).unwrap();
        store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
        damage(&server, command);
        assert_corrupt(&store.grant(&id(1)).await, &key);
        assert_corrupt(&store.access_token(&name(1), &id(1)).await, &key);
        assert_corrupt(&store.prolong_grant(&id(1), MINUTE).await, &key);
    }
    for field in ["user", "client", "scope", "resource", "created_at"] {
        server.ask(&["DEL", &key]).unwrap();
        store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
        damage(&server, &["HDEL", &key, field]);
        assert_corrupt(&store.grant(&id(1)).await, &key);
        assert_corrupt(&store.grants_of("alice", 9).await, &key);
    }
    // Whose list it is on is not known any more.
    damage(&server, &["HDEL", &key, "user"]);
    assert_corrupt(&store.prolong_grant(&id(1), MINUTE).await, &key);
}

#[tokio::test]
async fn a_list_of_grants() {
    let Harness { server, store } = Harness::new().await;
    let key = keys::grants_of("alice");
    store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
    damage(&server, &["ZADD", &key, "9999999999999", "no grant"]);
    assert_corrupt(&store.grants_of("alice", 9).await, &key);
    damage(&server, &["SET", &key, "no list"]);
    assert_corrupt(&store.grants_of("alice", 9).await, &key);
    assert_corrupt(&store.create_grant(&id(2), &grant(), MINUTE).await, &key);
}

#[tokio::test]
async fn the_keys() {
    let Harness { server, store } = Harness::new().await;
    let fresh = SecretKeys::generate(&SystemRandom);
    for command in [
        &["SET", keys::SECRET_KEYS, "short"][..],
        &["EVAL", "redis.call('SET', KEYS[1], '\\255\\254')", "1", keys::SECRET_KEYS],
        &[
            "EVAL",
            "redis.call('DEL', KEYS[1]) redis.call('LPUSH', KEYS[1], 1)",
            "1",
            keys::SECRET_KEYS,
        ],
    ] {
        damage(&server, command);
        assert_corrupt(&store.secret_keys(&fresh).await.map(|_| ()), keys::SECRET_KEYS);
    }
    // What is damaged breaks nothing else.
    store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
}
