//! The standalone streams of sessions.

use async_trait::async_trait;
use bytes::Bytes;
use redis::{FromRedisValue, Value};
use tracing::instrument;

use super::{RedisStore, calls::instance, each::each, keys, script, sessions, unreadable};
use crate::{
    ChangePosition, Claim, Epoch, Held, InstanceId, OpenedStream, PAGE, Position, Pulled, Pushed,
    SessionId, StoreError, Streams, Telling, Written, noted, spans::TARGET,
};

/// Whether a session lives, what is kept of it, and its subscriptions.
type ReadHeld = (bool, Fields, Vec<String>);
/// Who holds the stream, its epoch, the protocol's version, the place in the log of changes, the
/// level, and the switches.
type Fields =
    (Option<String>, Option<u64>, Option<String>, Option<String>, Option<String>, Option<String>);

fn held((id, epoch): (SessionId, Epoch), read: ReadHeld) -> Result<Option<Held>, StoreError> {
    let (lives, (holder, now, version, told, level, switches), subscriptions) = read;
    let is_held = holder.is_some_and(|holder| !holder.is_empty()) && now == Some(epoch.0);
    if !lives || !is_held || version.is_none() {
        return Ok(None);
    }
    let told = told.map_or(Ok(ChangePosition::default()), |told| {
        told.parse().map_err(|_| unreadable(keys::state(id), &told))
    })?;
    Ok(Some(Held { state: sessions::state(id, (level, switches), subscriptions)?, told }))
}

/// What `tell.lua` answers.
fn told(holder: Option<&str>) -> (Written, Option<InstanceId>) {
    (Written::if_lives(holder.is_some()), holder.and_then(instance))
}

#[async_trait]
impl Streams for RedisStore {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn open_stream(
        &self,
        id: SessionId,
        here: &InstanceId,
        claim: Claim,
    ) -> Result<OpenedStream, StoreError> {
        noted("open_stream");
        let (how, after) = match claim {
            Claim::Take(None) => ("take", String::new()),
            Claim::Take(Some(after)) => ("take", after.0.to_string()),
            Claim::IfFree => ("free", String::new()),
        };
        let mut open = script::call(&script::OPEN_STREAM, &keys::owner(id));
        open.arg(here.as_str()).arg(how).arg(after).arg(self.ttl());
        let opened: Vec<String> = self.redis.bulk.run(&open).await?;
        let opened: Vec<&str> = opened.iter().map(String::as_str).collect();
        let wrong = || unreadable(keys::state(id), "no opened stream");
        match opened[..] {
            ["gone"] => Ok(OpenedStream::Gone),
            ["held", by] => Ok(OpenedStream::Held { by: instance(by).ok_or_else(wrong)? }),
            ["holder", epoch, position, before] => Ok(OpenedStream::Holder {
                epoch: Epoch(epoch.parse().map_err(|_| wrong())?),
                position: Position(position.parse().map_err(|_| wrong())?),
                superseded: instance(before),
            }),
            _ => Err(wrong()),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn holder(&self, id: SessionId) -> Result<Option<InstanceId>, StoreError> {
        noted("holder");
        let ask = script::call(&script::HOLDER, &keys::owner(id));
        Ok(instance(&self.redis.hot.run::<String>(&ask).await?))
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn push(&self, id: SessionId, data: Bytes) -> Result<Pushed, StoreError> {
        noted("push");
        self.limits.take_event(&data)?;
        let mut push = script::call(&script::PUSH, &keys::owner(id));
        push.arg(&*data).arg(self.limits.log_events).arg(self.limits.log_bytes).arg(self.ttl());
        let pushed: Vec<String> = self.redis.bulk.run(&push).await?;
        let pushed: Vec<&str> = pushed.iter().map(String::as_str).collect();
        match pushed[..] {
            ["kept", holder] => Ok(Pushed::Kept { holder: instance(holder) }),
            ["full"] => Ok(Pushed::Full),
            ["gone"] => Ok(Pushed::Gone),
            _ => Err(unreadable(keys::stream(id), "nothing pushed")),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn held(&self, streams: &[(SessionId, Epoch)]) -> Result<Vec<Option<Held>>, StoreError> {
        noted("held");
        let read: Vec<ReadHeld> =
            each(&self.redis, "a session", streams, 3, |pipeline, (id, _)| {
                pipeline.cmd("EXISTS").arg(keys::owner(*id));
                let fields = ["holder", "epoch", "version", "told", "level", "switches"];
                pipeline.cmd("HMGET").arg(keys::state(*id)).arg(&fields);
                pipeline.cmd("SMEMBERS").arg(keys::subscriptions(*id));
            })
            .await?;
        streams.iter().zip(read).map(|(stream, read)| held(*stream, read)).collect()
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn tell(
        &self,
        tellings: &[Telling],
    ) -> Result<Vec<(Written, Option<InstanceId>)>, StoreError> {
        noted("tell");
        let (limits, ttl) = (&self.limits, self.ttl());
        let holders: Vec<Option<String>> =
            each(&self.redis, "a session", tellings, 1, |pipeline, telling| {
                let mut tell = script::call(&script::TELL, &keys::owner(telling.session));
                tell.arg(telling.from.to_string()).arg(telling.upto.to_string());
                tell.arg(limits.log_events).arg(limits.log_bytes).arg(ttl);
                for event in &telling.events {
                    tell.arg(&**event);
                }
                pipeline.add_command(tell);
            })
            .await?;
        Ok(holders.iter().map(|holder| told(holder.as_deref())).collect())
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn pull(
        &self,
        id: SessionId,
        epoch: Epoch,
        passed: Position,
    ) -> Result<Pulled, StoreError> {
        noted("pull");
        let mut pull = script::call(&script::PULL, &keys::owner(id));
        pull.arg(epoch.0).arg(passed.0).arg(PAGE);
        pull.arg(self.limits.log_retention.as_millis().to_string());
        let mut values: Vec<Value> = self.redis.bulk.run(&pull).await?;
        let wrong = |error: redis::ParsingError| unreadable(keys::stream(id), &error.to_string());
        let rest = values.split_off(values.len().min(2));
        let head: Vec<String> = Vec::from_redis_value(Value::Array(values)).map_err(wrong)?;
        match head.first().map(String::as_str) {
            Some("gone") => Ok(Pulled::Gone),
            Some("superseded") => Ok(Pulled::Superseded),
            Some("events") => {
                let events: Vec<(u64, Vec<u8>)> =
                    Vec::from_redis_value(Value::Array(rest)).map_err(wrong)?;
                let events = events
                    .into_iter()
                    .map(|(position, data)| (Position(position), Bytes::from(data)))
                    .collect();
                Ok(Pulled::Events { events, gap: head.get(1).is_some_and(|gap| gap == "1") })
            }
            other => Err(unreadable(keys::stream(id), other.unwrap_or("nothing"))),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn close_stream(
        &self,
        id: SessionId,
        epoch: Epoch,
        passed: Position,
    ) -> Result<Written, StoreError> {
        noted("close_stream");
        let mut close = script::call(&script::CLOSE_STREAM, &keys::owner(id));
        close.arg(epoch.0).arg(passed.0).arg(self.ttl());
        Ok(Written::if_lives(self.redis.bulk.run(&close).await?))
    }
}
