//! Grants.

use std::{collections::HashMap, time::Duration};

use futures::try_join;
use redis::Pipeline;

use super::{RedisOAuth, about, count::Count, each, keys, millis, record, script, unreadable};
use crate::{
    StoreError, Timestamp,
    oauth::{Grant, GrantId, GrantRecord, LiveGrant},
    redis::{Redis, keys::BUS, recent::Ended},
};

/// How often a list is read on while what it has is over.
const LOOKS: usize = 5;

type Fields = HashMap<String, String>;

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
    for (field, value) in
        [("client_name", &grant.client_name), ("redirect_uri", &grant.redirect_uri)]
    {
        if let Some(value) = value {
            create.arg(field).arg(value);
        }
    }
    store.write::<()>(&key, &create).await?;
    // Afterwards, so that whatever is listed was there once and may be taken off the list when it
    // is not. Nothing is issued from a grant that could not be listed.
    list(store, id, &grant.user, life).await
}

/// Puts a grant on its user's list for at least `life` from now. As durable as the grant: a user who
/// does not see it cannot revoke it.
async fn list(
    store: &RedisOAuth,
    id: &GrantId,
    user: &str,
    life: Duration,
) -> Result<(), StoreError> {
    let list = keys::grants_of(user);
    let mut enter = script::call(&script::LIST_GRANT, &list);
    enter.arg(id.to_string()).arg(millis(life));
    store.write(&list, &enter).await
}

pub(super) async fn of(
    store: &RedisOAuth,
    user: &str,
    most: usize,
) -> Result<Vec<LiveGrant>, StoreError> {
    let list = keys::grants_of(user);
    let mut found = Vec::new();
    for _ in 0..LOOKS {
        let wanted = most - found.len();
        let mut range = redis::cmd("ZREVRANGEBYSCORE");
        range.arg(&list).arg("+inf").arg("-inf").arg("LIMIT").arg(found.len()).arg(wanted);
        let listed: Vec<String> = store.ask(&list, &range).await?;
        let is_end = listed.len() < wanted;
        let mut over = redis::cmd("ZREM");
        over.arg(&list);
        let mut some_are_over = false;
        for (name, grant) in listed.iter().zip(read_listed(store, &list, &listed).await?) {
            if let Some(grant) = grant {
                found.push(grant);
            } else {
                over.arg(name);
                some_are_over = true;
            }
        }
        if some_are_over {
            store.ask::<()>(&list, &over).await?;
        }
        if is_end || found.len() >= most {
            break;
        }
    }
    Ok(found)
}

/// The grants of these names, as far as they live and are not revoked.
async fn read_listed(
    store: &RedisOAuth,
    list: &str,
    names: &[String],
) -> Result<Vec<Option<LiveGrant>>, StoreError> {
    let ids: Result<Vec<GrantId>, _> = names.iter().map(|name| name.parse()).collect();
    let ids = ids.map_err(|_| unreadable(list.to_owned(), "what it lists is no grant"))?;
    let read: Vec<(Fields, i64)> = each(&store.redis, "a grant", &ids, 2, |pipeline, id| {
        let key = keys::grant(id);
        pipeline.cmd("HGETALL").arg(&key).cmd("PTTL").arg(&key);
    })
    .await?;
    let grants = ids.into_iter().zip(read).map(|(id, (fields, left))| {
        let key = keys::grant(&id);
        let Some(grant) = parse(&key, &fields)?.filter(|grant| !grant.revoked) else {
            return Ok(None);
        };
        // It may have ended between the two commands.
        let left = u64::try_from(left).ok();
        let ends_in = left.map(Duration::from_millis);
        Ok(ends_in.map(|ends_in| LiveGrant { id, record: grant.record, ends_in }))
    });
    grants.collect()
}

pub(super) async fn read(store: &RedisOAuth, id: &GrantId) -> Result<Option<Grant>, StoreError> {
    let key = keys::grant(id);
    let fields: Fields = store.ask(&key, redis::cmd("HGETALL").arg(&key)).await?;
    parse(&key, &fields)
}

fn parse(key: &str, fields: &Fields) -> Result<Option<Grant>, StoreError> {
    if fields.is_empty() {
        return Ok(None);
    }
    let field = |name: &str| {
        fields.get(name).ok_or_else(|| unreadable(key.to_owned(), &format!("it has no {name}")))
    };
    let created_at = field("created_at")?
        .parse()
        .map_err(|_| unreadable(key.to_owned(), "created_at is none"))?;
    let record = GrantRecord {
        user: field("user")?.clone(),
        client: field("client")?.clone(),
        client_name: fields.get("client_name").cloned(),
        redirect_uri: fields.get("redirect_uri").cloned(),
        scope: field("scope")?.clone(),
        resource: field("resource")?.clone(),
        created_at: Timestamp::from_millis(created_at),
    };
    Ok(Some(Grant { record, revoked: !active(key, field("state")?)? }))
}

/// Whether it is there and not revoked.
pub(super) async fn is_active(redis: &Redis, id: &GrantId) -> Result<bool, StoreError> {
    let key = keys::grant(id);
    let mut read = redis::pipe();
    ask_state(&mut read, &key);
    let read = redis.hot.pipe(&read).await.map_err(|error| about(&key, error))?;
    parse_state(&key, read)
}

/// How it stands, and whether it is there.
pub(super) fn ask_state(pipeline: &mut Pipeline, key: &str) {
    pipeline.cmd("HGET").arg(key).arg("state").cmd("EXISTS").arg(key);
}

/// Whether it is there and not revoked.
pub(super) fn parse_state(
    key: &str,
    (state, is_there): (Option<String>, bool),
) -> Result<bool, StoreError> {
    match (state, is_there) {
        (Some(state), _) => active(key, &state),
        (None, false) => Ok(false),
        (None, true) => Err(unreadable(key.to_owned(), "it has no state")),
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
    let prolonged: Vec<String> = store.write(&key, &prolong).await?;
    match prolonged.as_slice() {
        [state, user] if state == "active" => {
            let (count, name) = (count(store), id.to_string());
            try_join!(count.prolong(store, &name, life), list(store, id, user, life))?;
            Ok(true)
        }
        [state] if state == "gone" => Ok(false),
        _ => Err(record::unknown(&key, &prolonged.join(" "))),
    }
}

pub(super) async fn revoke(store: &RedisOAuth, id: &GrantId) -> Result<bool, StoreError> {
    let (key, ended) = (keys::grant(id), Ended::Grant(*id));
    let notice = store.redis.notices.of(ended);
    let mut revoke = script::call(&script::REVOKE_GRANT, &key);
    revoke.arg(BUS).arg(notice.payload());
    let revoked = store.write(&key, &revoke).await;
    // Also where it is not known whether it has happened.
    store.redis.recent.forget(&ended);
    let (is_there, reached): (bool, usize) = revoked?;
    notice.heard_by(reached).await;
    Ok(is_there)
}
