//! Asking the same about many sessions.

use futures::{TryStreamExt as _, stream::FuturesOrdered};
use redis::{FromRedisValue, Pipeline, Value};

use super::{Redis, unreadable};
use crate::{SessionId, StoreError};

/// How many sessions are asked about in one round trip.
const AT_A_TIME: usize = 256;
/// In a cluster each session is asked for itself: a pipeline stays in one hash slot.
const IN_FLIGHT: usize = 32;

/// The answers of `commands` commands for each session, in the order of the sessions.
pub(super) async fn each<T: FromRedisValue + Send>(
    redis: &Redis,
    ids: &[SessionId],
    commands: usize,
    add: impl Fn(&mut Pipeline, SessionId) + Sync,
) -> Result<Vec<T>, StoreError> {
    let at_a_time = if redis.source.is_cluster() { 1 } else { AT_A_TIME };
    let pipelines: Vec<Pipeline> = ids
        .chunks(at_a_time)
        .map(|ids| {
            let mut pipeline = redis::pipe();
            for id in ids {
                add(&mut pipeline, *id);
            }
            pipeline
        })
        .collect();
    let mut answers: Vec<Vec<Value>> = Vec::with_capacity(pipelines.len());
    for pipelines in pipelines.chunks(IN_FLIGHT) {
        let mut asked = FuturesOrdered::new();
        for pipeline in pipelines {
            asked.push_back(redis.bulk.pipe(pipeline));
        }
        while let Some(answer) = asked.try_next().await? {
            answers.push(answer);
        }
    }
    let mut values = answers.into_iter().flatten();
    let mut read = Vec::with_capacity(ids.len());
    for _ in ids {
        let mut group: Vec<Value> = values.by_ref().take(commands).collect();
        let value =
            if commands == 1 { group.pop().unwrap_or(Value::Nil) } else { Value::Array(group) };
        let answer = T::from_redis_value(value);
        read.push(answer.map_err(|error| unreadable("a session".to_owned(), &error.to_string()))?);
    }
    Ok(read)
}
