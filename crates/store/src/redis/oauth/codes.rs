//! Authorization codes.

use std::time::Duration;

use super::{
    RedisOAuth,
    count::Count,
    keys,
    record::{self, Kept},
    script,
};
use crate::{
    StoreError,
    oauth::{AttemptId, Code, CodeGrant, Redemption, Sealed, SecretHash},
};

pub(super) async fn put(
    store: &RedisOAuth,
    name: &SecretHash,
    body: &Sealed<CodeGrant>,
    life: Duration,
) -> Result<(), StoreError> {
    let (key, limit) = (keys::code(name), store.limits.codes);
    let count = Count { index: keys::CODES, what: "authorization codes", limit };
    count.enter(store, &name.to_string(), &key, life).await?;
    store.write(&key, &record::put(&key, &record::value("fresh", body), life)).await
}

pub(super) async fn read(
    store: &RedisOAuth,
    name: &SecretHash,
) -> Result<Option<Code>, StoreError> {
    let key = keys::code(name);
    let Some(Kept { state, body }) = record::read(store, &key).await? else { return Ok(None) };
    let redeemed = match state.split_once(' ') {
        None if state == "fresh" => false,
        Some(("redeemed", _)) => true,
        _ => return Err(record::unknown(&key, &state)),
    };
    Ok(Some(Code { body, redeemed }))
}

pub(super) async fn redeem(
    store: &RedisOAuth,
    name: &SecretHash,
    attempt: &AttemptId,
) -> Result<Redemption, StoreError> {
    let key = keys::code(name);
    let mut redeem = script::call(&script::REDEEM_CODE, &key);
    redeem.arg(attempt.to_string());
    let redeemed: String = store.write(&key, &redeem).await?;
    match redeemed.as_str() {
        "redeemed" => Ok(Redemption::Redeemed),
        "replayed" => Ok(Redemption::Replayed),
        "unknown" => Ok(Redemption::Unknown),
        other => Err(record::unknown(&key, other)),
    }
}
