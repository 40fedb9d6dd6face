//! Elicitations in URL mode: one hash each, and a list for each user to bound them and find them.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use tracing::instrument;

use super::{RedisStore, each::each, keys, script, unreadable};
use crate::{
    Elicitation, ElicitationId, ElicitationState, Elicitations, NewElicitation, Owner,
    SettledElicitation, Settlement, StoreError, Timestamp, noted, oauth::AttemptId, spans::TARGET,
};

type Fields = HashMap<String, String>;

impl RedisStore {
    async fn kept_elicitation(&self, id: ElicitationId) -> Result<Option<Elicitation>, StoreError> {
        let key = keys::elicitation(id);
        let mut fields: Fields = self.redis.bulk.run(redis::cmd("HGETALL").arg(&key)).await?;
        if fields.is_empty() {
            return Ok(None);
        }
        let wrong = |what: &str| unreadable(keys::elicitation(id), what);
        let mut take = |name: &str| fields.remove(name).ok_or_else(|| wrong(name));
        let owner = Owner { user: take("user")?, issuer: take("issuer")?, client: take("client")? };
        let at = take("at")?.parse().map_err(|_| wrong("at"))?;
        let (message, state) = (take("message")?, state(&take("state")?));
        let session = fields.remove("session").map(|text| text.parse()).transpose();
        Ok(Some(Elicitation {
            owner,
            message,
            session: session.map_err(|_| wrong("session"))?,
            purpose: fields.remove("purpose"),
            at: Timestamp::from_millis(at),
            state: state.ok_or_else(|| wrong("state"))?,
        }))
    }
}

#[async_trait]
impl Elicitations for RedisStore {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn begin_elicitation(&self, new: NewElicitation) -> Result<(), StoreError> {
        noted("begin_elicitation");
        self.limits.take_event(new.message.as_bytes())?;
        let (limit, life) = (self.limits.elicitations_per_user, millis(new.life));
        // Listed first, as tasks are.
        let mut room = script::call(&script::TASK_ROOM, &keys::elicitations_of(&new.owner));
        room.arg(new.id.to_string()).arg(life).arg(limit);
        if !self.redis.hot.run::<bool>(&room).await? {
            return Err(StoreError::LimitReached { what: "elicitations of one user", limit });
        }
        let NewElicitation { id, owner, message, session, purpose, at, life: _ } = new;
        let mut begin = script::call(&script::ELICITATION_BEGIN, &keys::elicitation(id));
        begin.arg(life);
        let fields = [
            ("user", Some(owner.user)),
            ("issuer", Some(owner.issuer)),
            ("client", Some(owner.client)),
            ("message", Some(message)),
            ("session", session.map(|session| session.to_string())),
            ("purpose", purpose),
            ("at", Some(at.as_millis().to_string())),
            ("state", Some(word(ElicitationState::Waiting).to_owned())),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                begin.arg(name).arg(value);
            }
        }
        self.redis.hot.run(&begin).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn elicitation(&self, id: ElicitationId) -> Result<Option<Elicitation>, StoreError> {
        noted("elicitation");
        self.kept_elicitation(id).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn elicitation_for(
        &self,
        owner: &Owner,
        purpose: &str,
    ) -> Result<Option<(ElicitationId, ElicitationState)>, StoreError> {
        noted("elicitation_for");
        let list = keys::elicitations_of(owner);
        // All live equally long, so the one that ends last is the newest.
        let mut oldest_first = redis::cmd("ZRANGE");
        oldest_first.arg(&list).arg(0).arg(-1);
        let names = self.redis.bulk.run::<Vec<String>>(&oldest_first).await?;
        let read = names.iter().map(|name| name.parse::<ElicitationId>());
        let ids: Vec<_> =
            read.collect::<Result<_, _>>().map_err(|_| unreadable(list, "no elicitation"))?;
        let kept: Vec<[Option<String>; 5]> =
            each(&self.redis, "an elicitation", &ids, 1, |pipeline, id| {
                let fields = ["user", "issuer", "client", "purpose", "state"];
                pipeline.cmd("HMGET").arg(keys::elicitation(*id)).arg(&fields);
            })
            .await?;
        let wanted = [&owner.user, &owner.issuer, &owner.client].map(|field| Some(field.as_str()));
        let mut best = None;
        for (id, [user, issuer, client, said, word]) in ids.into_iter().zip(kept) {
            // One that is gone has none of them.
            let Some(word) = word else { continue };
            let state = state(&word).ok_or_else(|| unreadable(keys::elicitation(id), "state"))?;
            let is_it = [user.as_deref(), issuer.as_deref(), client.as_deref()] == wanted
                && said.as_deref() == Some(purpose);
            let rank = state.rank().filter(|_| is_it);
            if rank.is_some() && rank >= best.map(|(rank, _)| rank) {
                best = rank.map(|rank| (rank, (id, state)));
            }
        }
        Ok(best.map(|(_, found)| found))
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn settle_elicitation(
        &self,
        id: ElicitationId,
        to: Settlement,
        attempt: &AttemptId,
    ) -> Result<Option<SettledElicitation>, StoreError> {
        noted("settle_elicitation");
        let (key, attempt, [from, to]) = (keys::elicitation(id), attempt.to_string(), to.step());
        let mut settle = script::call(&script::ELICITATION_SETTLE, &key);
        settle.arg(word(from)).arg(word(to)).arg(&attempt);
        let Some((kept, by)) = self.redis.hot.run::<Option<(String, String)>>(&settle).await?
        else {
            return Ok(None);
        };
        let state = state(&kept).ok_or_else(|| unreadable(key, "state"))?;
        Ok(Some(SettledElicitation { state, by_this: state == to && by == attempt }))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

const fn word(state: ElicitationState) -> &'static str {
    match state {
        ElicitationState::Waiting => "waiting",
        ElicitationState::Completed => "completed",
        ElicitationState::Used => "used",
        ElicitationState::Declined => "declined",
    }
}

fn state(word: &str) -> Option<ElicitationState> {
    Some(match word {
        "waiting" => ElicitationState::Waiting,
        "completed" => ElicitationState::Completed,
        "used" => ElicitationState::Used,
        "declined" => ElicitationState::Declined,
        _ => return None,
    })
}
