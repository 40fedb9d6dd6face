//! Asking the same of many records.

use futures::{TryStreamExt as _, stream::FuturesOrdered};
use redis::{FromRedisValue, Pipeline, Value};

use super::{Redis, unreadable};
use crate::StoreError;

/// How many records are asked about in one round trip.
const AT_A_TIME: usize = 256;
/// In a cluster each is asked for itself: a pipeline stays in one hash slot.
const IN_FLIGHT: usize = 32;

/// The answers of `commands` commands to what is asked of each record, in its order. `what` a
/// record is, is for the error.
pub(super) async fn each<A: Sync, T: FromRedisValue + Send>(
    redis: &Redis,
    what: &'static str,
    asked: &[A],
    commands: usize,
    add: impl Fn(&mut Pipeline, &A) + Sync,
) -> Result<Vec<T>, StoreError> {
    let at_a_time = if redis.source.is_cluster() { 1 } else { AT_A_TIME };
    let pipelines: Vec<Pipeline> = asked
        .chunks(at_a_time)
        .map(|asked| {
            let mut pipeline = redis::pipe();
            for asked in asked {
                add(&mut pipeline, asked);
            }
            pipeline
        })
        .collect();
    let mut answers: Vec<Vec<Value>> = Vec::with_capacity(pipelines.len());
    for pipelines in pipelines.chunks(IN_FLIGHT) {
        let mut waiting = FuturesOrdered::new();
        for pipeline in pipelines {
            waiting.push_back(redis.bulk.pipe(pipeline));
        }
        while let Some(answer) = waiting.try_next().await? {
            answers.push(answer);
        }
    }
    let mut values = answers.into_iter().flatten();
    let mut read = Vec::with_capacity(asked.len());
    for _ in asked {
        let mut group: Vec<Value> = values.by_ref().take(commands).collect();
        let value =
            if commands == 1 { group.pop().unwrap_or(Value::Nil) } else { Value::Array(group) };
        let answer = T::from_redis_value(value);
        read.push(answer.map_err(|error| unreadable(what.to_owned(), &error.to_string()))?);
    }
    Ok(read)
}
