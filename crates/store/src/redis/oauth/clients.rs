//! Registrations.
//!
//! One says for itself whether it was ever used, so that one which is being used while it should
//! make room stays.

use std::time::Duration;

use futures::future::try_join_all;

use super::{RedisOAuth, count::exists, keys, millis, record, script, unreadable};
use crate::{
    StoreError,
    oauth::{ClientRecord, decode, encode},
};

/// How many may make room for one: more than one where the capacity was made smaller.
const AT_A_TIME: usize = 64;

/// JSON, with a place at its beginning that a script changes.
fn value(key: &str, client: &ClientRecord) -> Result<Vec<u8>, StoreError> {
    let json = encode(key, client)?;
    Ok([br#"{"used":0,"#, json.get(1..).unwrap_or_default()].concat())
}

pub(super) async fn put(
    store: &RedisOAuth,
    client: &ClientRecord,
    life: Duration,
    capacity: usize,
) -> Result<(), StoreError> {
    let key = keys::client(&client.id);
    let value = value(&key, client)?;
    let mut room = script::call(&script::CLIENT_ROOM, keys::CLIENTS);
    room.arg(&client.id).arg(millis(life)).arg(capacity).arg(AT_A_TIME);
    let answer: Vec<String> = store.ask(keys::CLIENTS, &room).await?;
    let put = record::put(&key, &value, life);
    match answer.split_first() {
        Some((room, oldest)) if room == "room" => {
            try_join_all(oldest.iter().map(|id| evict(store, id))).await?;
            store.write::<()>(&key, &put).await?;
            // Others may have had it make room before it was there.
            let listed =
                script::call(&script::CLIENT_LISTED, keys::CLIENTS).arg(&client.id).clone();
            if store.ask(keys::CLIENTS, &listed).await? {
                return Ok(());
            }
            evict(store, &client.id).await
        }
        Some((full, [])) if full == "full" => {
            // What is there already needs no room.
            if exists(store, &key).await? {
                return store.write(&key, &put).await;
            }
            Err(StoreError::LimitReached { what: "registered clients", limit: capacity })
        }
        _ => Err(record::unknown(keys::CLIENTS, &answer.join(" "))),
    }
}

/// Ends one that makes room, if it was not used after all.
async fn evict(store: &RedisOAuth, id: &str) -> Result<(), StoreError> {
    let key = keys::client(id);
    let left: i64 = store.ask(&key, &script::call(&script::EVICT_CLIENT, &key)).await?;
    match u64::try_from(left) {
        Ok(left) if left > 0 => used(store, id, Duration::from_millis(left)).await,
        Ok(_) | Err(_) => Ok(()),
    }
}

pub(super) async fn read(store: &RedisOAuth, id: &str) -> Result<Option<ClientRecord>, StoreError> {
    let key = keys::client(id);
    let value: Option<Vec<u8>> = store.ask(&key, redis::cmd("GET").arg(&key)).await?;
    value.map(|value| decode(&key, &value)).transpose()
}

pub(super) async fn prolong(
    store: &RedisOAuth,
    id: &str,
    life: Duration,
) -> Result<bool, StoreError> {
    let key = keys::client(id);
    let mut prolong = script::call(&script::PROLONG_CLIENT, &key);
    prolong.arg(millis(life));
    match u64::try_from(store.write::<i64>(&key, &prolong).await?) {
        Ok(0) => Ok(false),
        Ok(left) => {
            used(store, id, Duration::from_millis(left)).await?;
            Ok(true)
        }
        Err(_) => Err(unreadable(key, "it does not say whether it was used")),
    }
}

/// Counts one among those that are used.
async fn used(store: &RedisOAuth, id: &str, life: Duration) -> Result<(), StoreError> {
    let mut used = script::call(&script::CLIENT_USED, keys::CLIENTS);
    used.arg(id).arg(millis(life));
    store.ask(keys::CLIENTS, &used).await
}
