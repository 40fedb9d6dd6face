//! Grants.

use std::{collections::HashMap, time::Duration};

use super::{RedisOAuth, about, count::Count, keys, millis, record, script, unreadable};
use crate::{
    StoreError, Timestamp,
    oauth::{Grant, GrantId, GrantRecord},
};

fn count(store: &RedisOAuth) -> Count {
    Count { index: keys::GRANTS, what: "grants", limit: store.limits.grants }
}

pub(super) async fn create(
    store: &RedisOAuth,
    id: &GrantId,
    grant: &GrantRecord,
    life: Duration,
) -> Result<(), StoreError> {
    let key = keys::grant(id);
    count(store).enter(store, &id.to_string(), &key, life).await?;
    let mut create = script::call(&script::CREATE_GRANT, &key);
    create.arg(millis(life));
    create.arg("user").arg(&grant.user).arg("client").arg(&grant.client);
    create.arg("scope").arg(&grant.scope).arg("resource").arg(&grant.resource);
    create.arg("created_at").arg(grant.created_at.as_millis());
    store.write(&key, &create).await
}

pub(super) async fn read(store: &RedisOAuth, id: &GrantId) -> Result<Option<Grant>, StoreError> {
    let key = keys::grant(id);
    let fields: HashMap<String, String> = store.ask(&key, redis::cmd("HGETALL").arg(&key)).await?;
    if fields.is_empty() {
        return Ok(None);
    }
    let field = |name: &str| {
        fields.get(name).ok_or_else(|| unreadable(key.clone(), &format!("it has no {name}")))
    };
    let created_at =
        field("created_at")?.parse().map_err(|_| unreadable(key.clone(), "created_at is none"))?;
    let record = GrantRecord {
        user: field("user")?.clone(),
        client: field("client")?.clone(),
        scope: field("scope")?.clone(),
        resource: field("resource")?.clone(),
        created_at: Timestamp::from_millis(created_at),
    };
    Ok(Some(Grant { record, revoked: !active(&key, field("state")?)? }))
}

/// Whether it is there and not revoked.
pub(super) async fn is_active(store: &RedisOAuth, id: &GrantId) -> Result<bool, StoreError> {
    let key = keys::grant(id);
    let mut read = redis::pipe();
    read.cmd("HGET").arg(&key).arg("state").cmd("EXISTS").arg(&key);
    let read: (Option<String>, bool) =
        store.redis.hot.pipe(&read).await.map_err(|error| about(&key, error))?;
    match read {
        (Some(state), _) => active(&key, &state),
        (None, false) => Ok(false),
        (None, true) => Err(unreadable(key, "it has no state")),
    }
}

fn active(key: &str, state: &str) -> Result<bool, StoreError> {
    match state {
        "active" => Ok(true),
        "revoked" => Ok(false),
        other => Err(record::unknown(key, other)),
    }
}

pub(super) async fn prolong(
    store: &RedisOAuth,
    id: &GrantId,
    life: Duration,
) -> Result<bool, StoreError> {
    let key = keys::grant(id);
    let mut prolong = script::call(&script::PROLONG_GRANT, &key);
    prolong.arg(millis(life));
    let prolonged: String = store.write(&key, &prolong).await?;
    match prolonged.as_str() {
        "active" => {
            count(store).prolong(store, &id.to_string(), life).await?;
            Ok(true)
        }
        "gone" => Ok(false),
        other => Err(record::unknown(&key, other)),
    }
}

pub(super) async fn revoke(store: &RedisOAuth, id: &GrantId) -> Result<bool, StoreError> {
    let key = keys::grant(id);
    store.write(&key, &script::call(&script::REVOKE_GRANT, &key)).await
}
