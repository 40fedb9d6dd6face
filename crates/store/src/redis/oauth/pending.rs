//! Logins under way.

use std::time::Duration;

use futures::future::try_join_all;

use super::{
    RedisOAuth, keys, millis,
    record::{self, Kept},
    script,
};
use crate::{
    StoreError,
    oauth::{AttemptId, PendingLogin, Sealed, SecretHash},
};

type Body = Sealed<PendingLogin>;

pub(super) async fn put(
    store: &RedisOAuth,
    name: &SecretHash,
    body: &Body,
    life: Duration,
) -> Result<Option<Body>, StoreError> {
    let key = keys::pending(name);
    let mut put = script::call(&script::PUT_PENDING, &key);
    put.arg(record::value("open", body)).arg(millis(life));
    let kept: Vec<u8> = store.ask(&key, &put).await?;
    let kept = if_open(&key, record::parse(&key, &kept)?)?;
    if let Some(kept) = &kept {
        make_room(store, name, kept, life).await?;
    }
    Ok(kept)
}

/// Counts a login that is kept, and ends the oldest ones if there are too many.
async fn make_room(
    store: &RedisOAuth,
    name: &SecretHash,
    body: &Body,
    life: Duration,
) -> Result<(), StoreError> {
    let mut room = script::call(&script::PENDING_ROOM, keys::PENDING);
    room.arg(name.to_string()).arg(body.as_bytes().len()).arg(millis(life));
    room.arg(store.limits.pending).arg(store.limits.pending_bytes);
    let oldest: Vec<String> = store.ask(keys::PENDING, &room).await?;
    try_join_all(oldest.into_iter().map(async |name| {
        let name = SecretHash::try_from(name)
            .map_err(|error| record::unknown(keys::PENDING, &error.to_string()))?;
        let key = keys::pending(&name);
        store.ask::<()>(&key, redis::cmd("DEL").arg(&key)).await
    }))
    .await?;
    Ok(())
}

pub(super) async fn read(
    store: &RedisOAuth,
    name: &SecretHash,
) -> Result<Option<Body>, StoreError> {
    let key = keys::pending(name);
    match record::read(store, &key).await? {
        Some(kept) => if_open(&key, kept),
        None => Ok(None),
    }
}

pub(super) async fn take(
    store: &RedisOAuth,
    name: &SecretHash,
    attempt: &AttemptId,
) -> Result<bool, StoreError> {
    let key = keys::pending(name);
    let mut take = script::call(&script::TAKE_PENDING, &key);
    take.arg(attempt.to_string());
    let taken: String = store.ask(&key, &take).await?;
    match taken.as_str() {
        "taken" => Ok(true),
        "another" | "unknown" => Ok(false),
        other => Err(record::unknown(&key, other)),
    }
}

fn if_open(key: &str, kept: Kept<PendingLogin>) -> Result<Option<Body>, StoreError> {
    match kept.state.split_once(' ') {
        None if kept.state == "open" => Ok(Some(kept.body)),
        Some(("taken", _)) => Ok(None),
        _ => Err(record::unknown(key, &kept.state)),
    }
}
