//! Tasks: one hash each, and a list for each user to bound them.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use redis::{Cmd, Script};
use tracing::instrument;

use super::{RedisStore, keys, script, unreadable};
use crate::{
    Asked, InstanceId, NewTask, Owner, StoreError, Task, TaskEnd, TaskId, TaskNews, TaskPlace,
    Tasks, Timestamp, noted, spans::TARGET,
};

/// The fields of a task.
type Fields = HashMap<String, Vec<u8>>;

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A call of a script that answers nobody but the task's owner.
fn owners(script: &Script, id: TaskId, owner: &Owner, at: Timestamp) -> Cmd {
    let mut call = script::call(script, &keys::task(id));
    call.arg(&owner.user).arg(&owner.issuer).arg(&owner.client).arg(at.as_millis());
    call
}

impl RedisStore {
    async fn fields(&self, id: TaskId) -> Result<Fields, StoreError> {
        self.redis.bulk.run(redis::cmd("HGETALL").arg(keys::task(id))).await
    }

    async fn runs_on(&self, id: TaskId, call: &Cmd) -> Result<Option<InstanceId>, StoreError> {
        let Some(runs_on) = self.redis.bulk.run::<Option<String>>(call).await? else {
            return Ok(None);
        };
        let instance = runs_on.parse().map_err(|_| unreadable(keys::task(id), "no instance"))?;
        Ok(Some(instance))
    }
}

#[async_trait]
impl Tasks for RedisStore {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn begin_task(&self, task: NewTask) -> Result<(), StoreError> {
        noted("begin_task");
        let (limit, life) = (self.limits.tasks_per_user, millis(task.life));
        // Listed first: what is listed and never begun counts for as long as it would have lived.
        let mut room = script::call(&script::TASK_ROOM, &keys::tasks_of(&task.owner));
        room.arg(task.id.to_string()).arg(life).arg(limit);
        if !self.redis.hot.run::<bool>(&room).await? {
            return Err(StoreError::LimitReached { what: "tasks of one user", limit });
        }
        let mut begin = script::call(&script::TASK_BEGIN, &keys::task(task.id));
        begin.arg(&task.owner.user).arg(&task.owner.issuer).arg(&task.owner.client);
        begin.arg(task.instance.as_str()).arg(task.at.as_millis()).arg(life);
        self.redis.hot.run(&begin).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn task(&self, id: TaskId, owner: &Owner) -> Result<Option<Task>, StoreError> {
        noted("task");
        let fields = self.fields(id).await?;
        let is = |name: &str, value: &str| fields.get(name).is_some_and(|v| v == value.as_bytes());
        let is_theirs =
            is("user", &owner.user) && is("issuer", &owner.issuer) && is("client", &owner.client);
        if !is_theirs {
            return Ok(None);
        }
        let wrong = |what: &str| unreadable(keys::task(id), what);
        let number = |name| number(&fields, name).ok_or_else(|| wrong(name));
        Ok(Some(Task {
            instance: text(&fields, "instance")
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| wrong("instance"))?,
            created_at: Timestamp::from_millis(number("created")?),
            updated_at: Timestamp::from_millis(number("updated")?),
            life: Duration::from_millis(number("life")?),
            note: text(&fields, "note").map(str::to_owned),
            questions: below(&fields, "question:"),
            end: end(&fields).map_err(wrong)?,
        }))
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn tasks_of(
        &self,
        owner: &Owner,
        behind: Option<TaskPlace>,
        count: usize,
    ) -> Result<Vec<(TaskPlace, Task)>, StoreError> {
        noted("tasks_of");
        let key = keys::tasks_of(owner);
        let listed: Vec<(String, u64)> = self
            .redis
            .bulk
            .run(redis::cmd("ZRANGE").arg(&key).arg(0).arg(-1).arg("WITHSCORES"))
            .await?;
        let mut places = listed
            .into_iter()
            .map(|(id, gone)| {
                let id = id.parse().map_err(|_| unreadable(key.clone(), "no task"))?;
                Ok(TaskPlace { gone: Timestamp::from_millis(gone), id })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        places.sort_unstable();
        places.retain(|place| behind.is_none_or(|behind| *place > behind));
        let mut theirs = Vec::new();
        for place in places {
            if theirs.len() == count {
                break;
            }
            // The list is of all clients of a user, and may name some that are gone.
            theirs.extend(self.task(place.id, owner).await?.map(|task| (place, task)));
        }
        Ok(theirs)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn note_in_task(&self, id: TaskId, note: &str, at: Timestamp) -> Result<(), StoreError> {
        noted("note_in_task");
        self.limits.take_event(note.as_bytes())?;
        let mut write = script::call(&script::TASK_NOTE, &keys::task(id));
        write.arg(note).arg(at.as_millis());
        self.redis.hot.run(&write).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn ask_in_task(
        &self,
        id: TaskId,
        key: &str,
        question: Bytes,
        at: Timestamp,
    ) -> Result<Asked, StoreError> {
        noted("ask_in_task");
        self.limits.take_event(&question)?;
        let mut ask = script::call(&script::TASK_ASK, &keys::task(id));
        ask.arg(key).arg(&*question).arg(at.as_millis());
        let asked: Option<Vec<Vec<u8>>> = self.redis.bulk.run(&ask).await?;
        let Some(asked) = asked else { return Ok(Asked::Ended) };
        match &asked[..] {
            [word] if word == b"waiting" => Ok(Asked::Waiting),
            [word, answer] if word == b"answered" => {
                Ok(Asked::Answered(Bytes::copy_from_slice(answer)))
            }
            _ => Err(unreadable(keys::task(id), "no answer to a question")),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn answer_task(
        &self,
        id: TaskId,
        owner: &Owner,
        answers: BTreeMap<String, Bytes>,
        at: Timestamp,
    ) -> Result<Option<InstanceId>, StoreError> {
        noted("answer_task");
        let mut answer = owners(&script::TASK_ANSWER, id, owner, at);
        for (key, data) in &answers {
            self.limits.take_event(data)?;
            answer.arg(key).arg(&**data);
        }
        self.runs_on(id, &answer).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn task_news(&self, id: TaskId) -> Result<Option<TaskNews>, StoreError> {
        noted("task_news");
        let fields = self.fields(id).await?;
        let news =
            TaskNews { answers: below(&fields, "answer:"), ended: fields.contains_key("end") };
        Ok((!fields.is_empty()).then_some(news))
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn cancel_task(
        &self,
        id: TaskId,
        owner: &Owner,
        at: Timestamp,
    ) -> Result<Option<InstanceId>, StoreError> {
        noted("cancel_task");
        self.runs_on(id, &owners(&script::TASK_CANCEL, id, owner, at)).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn end_task(&self, id: TaskId, end: TaskEnd, at: Timestamp) -> Result<bool, StoreError> {
        noted("end_task");
        let (how, body) = match &end {
            TaskEnd::Completed(body) => ("completed", &**body),
            TaskEnd::Failed(body) => ("failed", &**body),
            TaskEnd::Cancelled => ("cancelled", &b""[..]),
        };
        self.limits.take_event(body)?;
        let mut finish = script::call(&script::TASK_END, &keys::task(id));
        finish.arg(how).arg(body).arg(at.as_millis());
        self.redis.bulk.run(&finish).await
    }
}

fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    std::str::from_utf8(fields.get(name)?).ok()
}

fn number(fields: &Fields, name: &str) -> Option<u64> {
    text(fields, name)?.parse().ok()
}

/// The fields whose names begin with `prefix`, by the rest of their names.
fn below(fields: &Fields, prefix: &str) -> BTreeMap<String, Bytes> {
    let below = fields.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix(prefix)?.to_owned(), Bytes::copy_from_slice(value)))
    });
    below.collect()
}

fn end(fields: &Fields) -> Result<Option<TaskEnd>, &'static str> {
    let Some(how) = fields.get("end") else { return Ok(None) };
    let body = || Bytes::copy_from_slice(fields.get("body").map(Vec::as_slice).unwrap_or_default());
    match &how[..] {
        b"completed" => Ok(Some(TaskEnd::Completed(body()))),
        b"failed" => Ok(Some(TaskEnd::Failed(body()))),
        b"cancelled" => Ok(Some(TaskEnd::Cancelled)),
        _ => Err("end"),
    }
}
