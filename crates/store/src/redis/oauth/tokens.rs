//! Access tokens.

use std::time::Duration;

use redis::Pipeline;

use super::{RedisOAuth, about, count::Count, grants, keys, record, script, unreadable};
use crate::{
    StoreError,
    oauth::{AccessToken, GrantId, IssuedToken, Sealed, SecretHash},
    redis::{
        Redis,
        keys::BUS,
        recent::{Believed, Ended},
    },
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

/// What was found just now is asked for again by the way, and not waited for.
pub(super) async fn read(
    store: &RedisOAuth,
    name: &SecretHash,
    grant: &GrantId,
) -> Result<Option<AccessToken>, StoreError> {
    let Some(Believed { what, is_due }) = store.redis.recent.token(name, grant) else {
        return find(&store.redis, name, grant).await;
    };
    if is_due {
        let (redis, name, grant) = (store.redis.clone(), *name, *grant);
        tokio::spawn(async move {
            if let Err(error) = find(&redis, &name, &grant).await {
                tracing::debug!(event = "store.unavailable", %error,
                    "a token is asked for again by whoever comes next");
            }
        });
    }
    Ok(Some(what))
}

/// Reads the token and its grant, in one round trip, and remembers one that is good.
async fn find(
    redis: &Redis,
    name: &SecretHash,
    grant: &GrantId,
) -> Result<Option<AccessToken>, StoreError> {
    let mark = redis.recent.mark();
    // In a cluster they are in two hash slots, so they are asked for in two requests, at the same
    // time.
    let found = if redis.source.is_cluster() {
        apart(redis, name, grant).await?
    } else {
        match together(redis, name, grant).await {
            // One by one they say which of them it is.
            Err(StoreError::Corrupt { .. }) => apart(redis, name, grant).await?,
            found => found?,
        }
    };
    match &found {
        Some(token) => redis.recent.keep_token(*name, *grant, token.clone(), mark),
        None => redis.recent.is_gone(&Ended::Token(*name)),
    }
    Ok(found)
}

async fn together(
    redis: &Redis,
    name: &SecretHash,
    grant: &GrantId,
) -> Result<Option<AccessToken>, StoreError> {
    let (token_key, grant_key) = (keys::access_token(name), keys::grant(grant));
    let mut read = redis::pipe();
    ask(&mut read, &token_key);
    grants::ask_state(&mut read, &grant_key);
    let (value, left, state, is_there) = redis.hot.pipe(&read).await?;
    let token = parse(&token_key, (value, left))?;
    let active = grants::parse_state(&grant_key, (state, is_there))?;
    Ok(token.filter(|_| active))
}

async fn apart(
    redis: &Redis,
    name: &SecretHash,
    grant: &GrantId,
) -> Result<Option<AccessToken>, StoreError> {
    let key = keys::access_token(name);
    let mut read = redis::pipe();
    ask(&mut read, &key);
    let token =
        async { parse(&key, redis.hot.pipe(&read).await.map_err(|error| about(&key, error))?) };
    let (token, active) = tokio::try_join!(token, grants::is_active(redis, grant))?;
    Ok(token.filter(|_| active))
}

/// A record, and how much of its life is left.
fn ask(pipeline: &mut Pipeline, key: &str) {
    pipeline.cmd("GET").arg(key).cmd("PTTL").arg(key);
}

fn parse(
    key: &str,
    (value, left): (Option<Vec<u8>>, i64),
) -> Result<Option<AccessToken>, StoreError> {
    let Some(value) = value else { return Ok(None) };
    let kept = record::parse(key, &value)?;
    match (kept.state.as_str(), u64::try_from(left)) {
        (GOOD, Ok(left)) => {
            Ok(Some(AccessToken { body: kept.body, expires_in: Duration::from_millis(left) }))
        }
        (REVOKED, Ok(_)) => Ok(None),
        // It ended between the two commands.
        (_, Err(_)) if left == -2 => Ok(None),
        (_, Err(_)) => Err(unreadable(key.to_owned(), "it has no end")),
        (state, Ok(_)) => Err(record::unknown(key, state)),
    }
}

/// The mark has no body: nobody needs to read it any more.
pub(super) async fn revoke(store: &RedisOAuth, name: &SecretHash) -> Result<(), StoreError> {
    let (key, ended) = (keys::access_token(name), Ended::Token(*name));
    let notice = store.redis.notices.of(ended);
    let mut revoke = script::call(&script::REVOKE_TOKEN, &key);
    revoke.arg(format!("{REVOKED}\n")).arg(BUS).arg(notice.payload());
    let reached = store.write(&key, &revoke).await;
    // Also where it is not known whether it has happened.
    store.redis.recent.forget(&ended);
    notice.heard_by(reached?).await;
    Ok(())
}
