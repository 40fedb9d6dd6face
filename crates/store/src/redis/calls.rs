//! The calls of sessions.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redis::{FromRedisValue, Value};
use tracing::instrument;

use super::{RedisStore, keys, script, unreadable};
use crate::{
    Answer, Appended, CallEvent, CallId, CallLog, CallNews, Calls, InstanceId, NewCall, OpenedCall,
    RequestKey, RunningCall, Said, SessionId, StoreError, noted, spans::TARGET,
};

/// How much earlier than its call a cancellation may arrive: the two travel on two connections.
const OVERTAKING: Duration = Duration::from_secs(5);
/// How long a cancellation waits for its call.
const MARK_LIFE: Duration = Duration::from_secs(60);
const MARKS: usize = 64;

/// What `read_call.lua` answers before the events.
type Head = (u64, bool, bool, String, String);

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Calls for RedisStore {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn open_call(&self, id: SessionId, call: NewCall) -> Result<OpenedCall, StoreError> {
        noted("open_call");
        let limit = self.limits.calls_per_session;
        let request = call.request.as_ref().map_or("", RequestKey::as_str);
        let mut open = script::call(&script::OPEN_CALL, &keys::owner(id));
        open.arg(call.id.to_string()).arg(request).arg(call.instance.as_str());
        open.arg(millis(call.age)).arg(limit).arg(self.ttl());
        open.arg(millis(self.limits.log_retention)).arg(millis(OVERTAKING));
        open.arg(call.last_words.as_deref().unwrap_or_default());
        let opened: String = self.redis.bulk.run(&open).await?;
        match opened.as_str() {
            "open" => Ok(OpenedCall::Open),
            "cancelled" => Ok(OpenedCall::Cancelled),
            "gone" => Ok(OpenedCall::Gone),
            "full" => Err(StoreError::LimitReached { what: "running calls of a session", limit }),
            other => Err(unreadable(keys::call(id, call.id), other)),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn append(
        &self,
        id: SessionId,
        call: CallId,
        event: CallEvent,
    ) -> Result<Appended, StoreError> {
        noted("append");
        let limits = &self.limits;
        let mut append = script::call(&script::APPEND, &keys::owner(id));
        append.arg(call.to_string()).arg(event.seq).arg(&*event.data).arg(u8::from(event.last));
        append.arg(limits.log_events).arg(limits.log_bytes).arg(limits.session_log_bytes);
        append.arg(self.ttl()).arg(millis(limits.log_retention));
        let appended: Vec<String> = self.redis.bulk.run(&append).await?;
        let reader = appended.get(1).map(|reader| instance(reader)).unwrap_or_default();
        match appended.first().map(String::as_str) {
            Some("kept") => Ok(Appended::Kept { reader }),
            Some("full") => Ok(Appended::Full { reader }),
            Some("ended") => Ok(Appended::Ended),
            Some("gone") => Ok(Appended::Gone),
            other => Err(unreadable(keys::log(id, call), other.unwrap_or("nothing"))),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn read_call(
        &self,
        id: SessionId,
        call: CallId,
        after: u64,
        reader: Option<&InstanceId>,
    ) -> Result<Option<CallLog>, StoreError> {
        noted("read_call");
        let mut read = script::call(&script::READ_CALL, &keys::owner(id));
        read.arg(call.to_string()).arg(after).arg(reader.map_or("", InstanceId::as_str));
        let Some(mut values) = self.redis.bulk.run::<Option<Vec<Value>>>(&read).await? else {
            return Ok(None);
        };
        let key = || keys::log(id, call);
        let wrong = |error: redis::ParsingError| unreadable(key(), &error.to_string());
        let rest = values.split_off(values.len().min(5));
        let head = Head::from_redis_value(Value::Array(values)).map_err(wrong)?;
        let (newest, ended, lost, runs_on, before) = head;
        let events: Vec<(u64, Vec<u8>, bool)> =
            Vec::from_redis_value(Value::Array(rest)).map_err(wrong)?;
        let events = events
            .into_iter()
            .map(|(seq, data, last)| CallEvent { seq, data: Bytes::from(data), last })
            .collect();
        Ok(Some(CallLog {
            events,
            newest,
            ended,
            lost,
            instance: instance(&runs_on).ok_or_else(|| unreadable(key(), "no instance"))?,
            reader: instance(&before),
        }))
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn cancel(
        &self,
        id: SessionId,
        request: &RequestKey,
    ) -> Result<Vec<RunningCall>, StoreError> {
        noted("cancel");
        let mut cancel = script::call(&script::CANCEL, &keys::owner(id));
        cancel.arg(request.as_str()).arg(MARKS).arg(millis(MARK_LIFE));
        running_calls(id, self.redis.bulk.run(&cancel).await?)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn answer(
        &self,
        id: SessionId,
        call: CallId,
        answer: Answer,
    ) -> Result<Option<InstanceId>, StoreError> {
        noted("answer");
        let limit = self.limits.log_bytes;
        if answer.data.len() > limit {
            return Err(StoreError::LimitReached { what: "bytes of an answer", limit });
        }
        let mut keep = script::call(&script::ANSWER, &keys::owner(id));
        keep.arg(call.to_string()).arg(answer.number).arg(&*answer.data);
        let runs_on: Option<String> = self.redis.bulk.run(&keep).await?;
        Ok(runs_on.as_deref().and_then(instance))
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn call_news(&self, id: SessionId, call: CallId) -> Result<Option<CallNews>, StoreError> {
        noted("call_news");
        let mut ask = script::call(&script::CALL_NEWS, &keys::owner(id));
        ask.arg(call.to_string());
        let Some(mut values) = self.redis.bulk.run::<Option<Vec<Value>>>(&ask).await? else {
            return Ok(None);
        };
        let wrong =
            |error: redis::ParsingError| unreadable(keys::call(id, call), &error.to_string());
        let rest = values.split_off(values.len().min(1));
        let cancelled = bool::from_redis_value(values.pop().unwrap_or(Value::Nil));
        let answers: Vec<(u64, Vec<u8>)> =
            Vec::from_redis_value(Value::Array(rest)).map_err(wrong)?;
        let answers = answers
            .into_iter()
            .map(|(number, data)| Answer { number, data: Bytes::from(data) })
            .collect();
        Ok(Some(CallNews { answers, cancelled: cancelled.map_err(wrong)? }))
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn say(&self, id: SessionId, call: CallId, event: CallEvent) -> Result<Said, StoreError> {
        noted("say");
        self.limits.take_event(&event.data)?;
        let mut say = script::call(&script::SAY, &keys::owner(id));
        say.arg(call.to_string()).arg(event.seq).arg(&*event.data).arg(u8::from(event.last));
        say.arg(self.limits.log_events).arg(self.limits.log_bytes).arg(self.ttl());
        said(id, &self.redis.bulk.run::<Vec<String>>(&say).await?)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn running(&self, id: SessionId) -> Result<Vec<RunningCall>, StoreError> {
        noted("running");
        let ask = script::call(&script::RUNNING, &keys::owner(id));
        running_calls(id, self.redis.bulk.run(&ask).await?)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn bury(&self, id: SessionId, call: CallId) -> Result<Said, StoreError> {
        noted("bury");
        let mut bury = script::call(&script::BURY, &keys::owner(id));
        bury.arg(call.to_string()).arg(self.limits.log_events).arg(self.limits.log_bytes);
        bury.arg(self.ttl());
        said(id, &self.redis.bulk.run::<Vec<String>>(&bury).await?)
    }
}

/// What `say.lua` and `bury.lua` answer.
fn said(id: SessionId, answer: &[String]) -> Result<Said, StoreError> {
    match answer.first().map(String::as_str) {
        Some("kept") => {
            Ok(Said::Kept { holder: answer.get(1).and_then(|holder| instance(holder)) })
        }
        Some("full") => Ok(Said::Full),
        Some("ended") => Ok(Said::Ended),
        Some("gone") => Ok(Said::Gone),
        other => Err(unreadable(keys::stream(id), other.unwrap_or("nothing"))),
    }
}

fn running_calls(
    id: SessionId,
    found: Vec<(String, String)>,
) -> Result<Vec<RunningCall>, StoreError> {
    let found = found.into_iter().map(|(call, runs_on)| {
        let (call, runs_on) = (call.parse().ok()?, instance(&runs_on)?);
        Some(RunningCall { id: call, instance: runs_on })
    });
    found
        .collect::<Option<_>>()
        .ok_or_else(|| unreadable(keys::running(id), "no call or no instance"))
}

pub(super) fn instance(text: &str) -> Option<InstanceId> {
    text.parse().ok()
}
