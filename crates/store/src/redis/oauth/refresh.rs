//! Families of refresh tokens.

use std::time::Duration;

use super::{
    RedisOAuth,
    count::Count,
    keys, millis,
    record::{self, Kept},
    script,
};
use crate::{
    StoreError,
    oauth::{RefreshFamily, Rotation, Sealed, SecretHash},
};

fn count(store: &RedisOAuth) -> Count {
    Count {
        index: keys::REFRESH_FAMILIES,
        what: "families of refresh tokens",
        limit: store.limits.refresh_families,
    }
}

pub(super) async fn put(
    store: &RedisOAuth,
    name: &SecretHash,
    body: &Sealed<RefreshFamily>,
    life: Duration,
) -> Result<(), StoreError> {
    let key = keys::refresh_family(name);
    count(store).enter(store, &name.to_string(), &key, life).await?;
    // How much of its life is left says how long ago it was rotated: no clock is compared with
    // another's.
    let state = format!("0 {}", millis(life));
    store.write(&key, &record::put(&key, &record::value(&state, body), life)).await
}

pub(super) async fn read(
    store: &RedisOAuth,
    name: &SecretHash,
) -> Result<Option<Sealed<RefreshFamily>>, StoreError> {
    let key = keys::refresh_family(name);
    let Some(Kept { state, body }) = record::read(store, &key).await? else { return Ok(None) };
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    match state.split_once(' ') {
        None if state == "dead" => Ok(Some(body)),
        Some((newest, life)) if is_number(newest) && is_number(life) => Ok(Some(body)),
        _ => Err(record::unknown(&key, &state)),
    }
}

pub(super) async fn rotate(
    store: &RedisOAuth,
    name: &SecretHash,
    presented: u64,
    (window, life): (Duration, Duration),
) -> Result<Rotation, StoreError> {
    let key = keys::refresh_family(name);
    let mut rotate = script::call(&script::ROTATE_REFRESH, &key);
    rotate.arg(presented).arg(millis(window)).arg(millis(life));
    let rotated: Vec<String> = store.write(&key, &rotate).await?;
    let rotated: Vec<&str> = rotated.iter().map(String::as_str).collect();
    let next = |next: &str| next.parse().map_err(|_| record::unknown(&key, next));
    match rotated[..] {
        ["rotated", after] => {
            count(store).prolong(store, &name.to_string(), life).await?;
            Ok(Rotation::Rotated { next: next(after)? })
        }
        ["repeated", after] => Ok(Rotation::Repeated { next: next(after)? }),
        ["reused"] => Ok(Rotation::Reused),
        ["unknown"] => Ok(Rotation::Unknown),
        _ => Err(record::unknown(&key, &rotated.join(" "))),
    }
}
