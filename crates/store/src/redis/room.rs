//! How many sessions a user may have.
//!
//! The sessions of a user are in other hash slots than their list, so the two are not changed
//! together: the list is written first, and what it lists and is gone is taken out when the list
//! is full.

use super::{RedisStore, each::each, keys, script};
use crate::{Owner, SessionId, StoreError};

/// How many sessions are looked at to find those that are gone, and how often.
const LOOK_AT: usize = 200;
const LOOKS: usize = 5;
/// How long the list stays after the last session was added, in seconds.
const LIST_TTL: u32 = 7 * 24 * 60 * 60;
/// How long a session may be listed before it is there, in milliseconds.
const IN_THE_MAKING: u32 = 10_000;

/// Lists a session that is about to be, if there is room.
pub(super) async fn make(
    store: &RedisStore,
    id: SessionId,
    owner: &Owner,
) -> Result<(), StoreError> {
    let (list, limit) = (keys::sessions_of(owner), store.limits.sessions_per_user);
    let hot = &store.redis.hot;
    for _ in 0..LOOKS {
        let mut room = script::call(&script::USER_ROOM, &list);
        room.arg(id.to_string()).arg(limit).arg(LOOK_AT).arg(LIST_TTL).arg(IN_THE_MAKING);
        let Some(candidates) = hot.run::<Option<Vec<String>>>(&room).await? else {
            return Ok(());
        };
        let ids: Vec<SessionId> = candidates.iter().filter_map(|id| id.parse().ok()).collect();
        if ids.is_empty() {
            break;
        }
        let alive: Vec<bool> = each(&store.redis, "a session", &ids, 1, |pipeline, id| {
            pipeline.cmd("EXISTS").arg(keys::owner(*id));
        })
        .await?;
        // Those that live are not looked at again for a while.
        let mut tidy = script::call(&script::USER_TIDY, &list);
        for (id, alive) in ids.iter().zip(alive) {
            tidy.arg(id.to_string()).arg(u8::from(alive));
        }
        hot.run::<()>(&tidy).await?;
    }
    Err(StoreError::LimitReached { what: "sessions of one user", limit })
}
