//! What is good once.

use std::time::Duration;

use super::{RedisOAuth, count::Count, keys, millis, script};
use crate::{
    StoreError,
    oauth::{AttemptId, SecretHash},
};

pub(super) async fn remember(
    store: &RedisOAuth,
    name: &SecretHash,
    attempt: &AttemptId,
    life: Duration,
) -> Result<bool, StoreError> {
    let (key, limit) = (keys::replay(name), store.limits.replays);
    let count = Count { index: keys::REPLAYS, what: "things that were used once", limit };
    count.enter(store, &name.to_string(), &key, life).await?;
    let mut remember = script::call(&script::REMEMBER_ONCE, &key);
    remember.arg(attempt.to_string()).arg(millis(life));
    store.write(&key, &remember).await
}
