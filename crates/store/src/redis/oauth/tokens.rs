//! Access tokens.

use std::time::Duration;

use super::{RedisOAuth, about, count::Count, grants, keys, record, unreadable};
use crate::{
    StoreError,
    oauth::{AccessToken, GrantId, IssuedToken, Sealed, SecretHash},
};

const GOOD: &str = "good";
const REVOKED: &str = "revoked";

pub(super) async fn put(
    store: &RedisOAuth,
    name: &SecretHash,
    body: &Sealed<IssuedToken>,
    life: Duration,
) -> Result<(), StoreError> {
    let (key, limit) = (keys::access_token(name), store.limits.access_tokens);
    let count = Count { index: keys::ACCESS_TOKENS, what: "access tokens", limit };
    count.enter(store, &name.to_string(), &key, life).await?;
    store.write(&key, &record::put(&key, &record::value(GOOD, body), life)).await
}

/// Token and grant are in two hash slots, so they are asked for in two requests, at the same time.
pub(super) async fn read(
    store: &RedisOAuth,
    name: &SecretHash,
    grant: &GrantId,
) -> Result<Option<AccessToken>, StoreError> {
    let (token, active) = tokio::try_join!(token(store, name), grants::is_active(store, grant))?;
    Ok(token.filter(|_| active))
}

async fn token(store: &RedisOAuth, name: &SecretHash) -> Result<Option<AccessToken>, StoreError> {
    let key = keys::access_token(name);
    let mut read = redis::pipe();
    read.cmd("GET").arg(&key).cmd("PTTL").arg(&key);
    let read = store.redis.hot.pipe(&read).await.map_err(|error| about(&key, error))?;
    let (Some(value), left): (Option<Vec<u8>>, i64) = read else { return Ok(None) };
    let kept = record::parse(&key, &value)?;
    match (kept.state.as_str(), u64::try_from(left)) {
        (GOOD, Ok(left)) => {
            Ok(Some(AccessToken { body: kept.body, expires_in: Duration::from_millis(left) }))
        }
        (REVOKED, Ok(_)) => Ok(None),
        // It ended between the two commands.
        (_, Err(_)) if left == -2 => Ok(None),
        (_, Err(_)) => Err(unreadable(key, "it has no end")),
        (state, Ok(_)) => Err(record::unknown(&key, state)),
    }
}

/// The mark has no body: nobody needs to read it any more.
pub(super) async fn revoke(store: &RedisOAuth, name: &SecretHash) -> Result<(), StoreError> {
    let key = keys::access_token(name);
    let mut revoke = redis::cmd("SET");
    revoke.arg(&key).arg(format!("{REVOKED}\n")).arg("XX").arg("KEEPTTL");
    store.write(&key, &revoke).await
}
