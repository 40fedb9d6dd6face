//! The sessions themselves.

use std::sync::Arc;

use async_trait::async_trait;
use tracing::instrument;

use super::{
    Redis, RedisStore, SLACK,
    each::each,
    keys,
    recent::{Believed, Ended},
    record::{self, Found},
    room, script, shelves, unreadable,
};
use crate::{
    ChangeLog as _, Handshake, LogLevel, Owner, Session, SessionId, SessionState, Sessions,
    Settled, StoreError, User, Written, noted, oauth::AttemptId, session::SWITCHES, spans::TARGET,
};

/// How many of a user's list are looked at to find one that lives.
const LISTED_FOR_EACH: usize = 4;

#[async_trait]
impl Sessions for RedisStore {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn create(&self, id: SessionId, session: Session) -> Result<(), StoreError> {
        noted("create");
        // The place is read before the session is there: nothing is missed in between.
        let ((), told) = tokio::try_join!(room::make(self, id, &session.owner), self.newest())?;
        let Session { owner, transport, handshake } = &session;
        let (initialize, version) = match handshake.as_deref() {
            Some(Handshake { initialize, protocol_version }) => {
                (&**initialize, &**protocol_version)
            }
            None => ("", ""),
        };
        let mut create = script::call(&script::CREATE, &keys::owner(id));
        create.arg(&owner.user).arg(&owner.issuer).arg(&owner.client).arg(record::name(*transport));
        create.arg(initialize).arg(version).arg(self.ttl()).arg(told.to_string());
        let created: bool = self.redis.hot.run(&create).await?;
        if created {
            self.records.keep(id, session);
        }
        Ok(())
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn settle(&self, id: SessionId, handshake: Handshake) -> Result<Settled, StoreError> {
        noted("settle");
        let mut settle = script::call(&script::SETTLE, &keys::owner(id));
        settle.arg(&*handshake.initialize).arg(&*handshake.protocol_version);
        settle.arg(self.newest().await?.to_string());
        let settled: String = self.redis.hot.run(&settle).await?;
        match settled.as_str() {
            "done" => Ok(Settled::Done),
            "already" => Ok(Settled::Already),
            "gone" => Ok(Settled::Gone),
            other => Err(unreadable(keys::state(id), other)),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn admit(
        &self,
        id: SessionId,
        owner: &Owner,
    ) -> Result<Option<Arc<Session>>, StoreError> {
        noted("admit");
        let Some(session) = self.records.get(id) else { return self.find(id, owner).await };
        // Whoever may not in does not prolong it.
        if session.owner != *owner {
            return Ok(None);
        }
        let touch =
            || Touch { redis: self.redis.clone(), id, user: owner.user.clone(), ttl: self.ttl() };
        if let Some(Believed { is_due, .. }) =
            self.redis.recent.session(id, self.limits.session_ttl)
        {
            if is_due {
                tokio::spawn(touch().ahead());
            }
            return Ok(Some(session));
        }
        if touch().lives().await? {
            return Ok(Some(session));
        }
        self.records.forget(id);
        Ok(None)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn delete(&self, id: SessionId, owner: &Owner) -> Result<bool, StoreError> {
        noted("delete");
        let ended = Ended::Session(id);
        let notice = self.redis.notices.of(ended);
        let mut delete = script::call(&script::DELETE, &keys::owner(id));
        delete.arg(&owner.user).arg(&owner.issuer).arg(&owner.client);
        delete.arg(keys::BUS).arg(notice.payload());
        let deleted = self.redis.hot.run(&delete).await;
        // Also where it is not known whether it has happened.
        self.redis.recent.forget(&ended);
        let (deleted, reached): (bool, usize) = deleted?;
        if deleted {
            self.records.forget(id);
            let mut leave = redis::cmd("ZREM");
            leave.arg(keys::sessions_of(owner)).arg(id.to_string());
            let left = self.redis.hot.run::<()>(&leave);
            let (left, ()) = tokio::join!(left, notice.heard_by(reached));
            left?;
        }
        Ok(deleted)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn hold(&self, ids: &[SessionId]) -> Result<Vec<bool>, StoreError> {
        noted("hold");
        let ttl = self.ttl();
        each(&self.redis, "a session", ids, 1, |pipeline, id| {
            pipeline.add_command(script::call(&script::HOLD, &keys::owner(*id)).arg(ttl).clone());
        })
        .await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn set_level(&self, id: SessionId, level: LogLevel) -> Result<Written, StoreError> {
        noted("set_level");
        self.write(&script::SET_LEVEL, id, level.as_str()).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn subscribe(&self, id: SessionId, uri: &str) -> Result<Written, StoreError> {
        noted("subscribe");
        let limit = self.limits.subscriptions_per_session;
        let mut subscribe = script::call(&script::SUBSCRIBE, &keys::owner(id));
        subscribe.arg(uri).arg(limit).arg(self.ttl());
        let subscribed: String = self.redis.hot.run(&subscribe).await?;
        match subscribed.as_str() {
            "done" => Ok(Written::Done),
            "gone" => Ok(Written::Gone),
            "full" => Err(StoreError::LimitReached { what: "subscriptions of a session", limit }),
            other => Err(unreadable(keys::subscriptions(id), other)),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn unsubscribe(&self, id: SessionId, uri: &str) -> Result<Written, StoreError> {
        noted("unsubscribe");
        self.write(&script::UNSUBSCRIBE, id, uri).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn flip(
        &self,
        id: SessionId,
        switch: &str,
        attempt: &AttemptId,
    ) -> Result<Option<bool>, StoreError> {
        noted("flip");
        let mut flip = script::call(&script::FLIP, &keys::owner(id));
        flip.arg(switch).arg(attempt.to_string()).arg(SWITCHES);
        match self.redis.hot.run::<String>(&flip).await?.as_str() {
            "gone" => Ok(None),
            answer => shelves::flipped(&keys::state(id), answer).map(Some),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn of_user(
        &self,
        user: &User,
        most: usize,
    ) -> Result<Vec<(SessionId, Arc<Session>)>, StoreError> {
        noted("of_user");
        let list = keys::sessions_of_user(user);
        // Some of those that are listed are gone.
        let mut newest_first = redis::cmd("ZREVRANGE");
        newest_first.arg(&list).arg(0).arg(most.saturating_mul(LISTED_FOR_EACH));
        let names: Vec<String> = self.redis.bulk.run(&newest_first).await?;
        let ids = names.iter().map(|name| name.parse::<SessionId>());
        let ids: Vec<_> =
            ids.collect::<Result<_, _>>().map_err(|_| unreadable(list, "no session"))?;
        let kept: Vec<record::Kept> =
            each(&self.redis, "a session", &ids, 2, |pipeline, id| record::ask(pipeline, *id))
                .await?;
        let mut found = Vec::new();
        for (id, kept) in ids.into_iter().zip(kept) {
            if let Some(session) = record::parse(id, kept)?
                && User::from(&session.owner) == *user
                && found.len() < most
            {
                found.push((id, session));
            }
        }
        Ok(found)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn glance(&self, id: SessionId) -> Result<Option<Arc<Session>>, StoreError> {
        noted("glance");
        let mut read = redis::pipe();
        record::ask(&mut read, id);
        record::parse(id, self.redis.hot.pipe(&read).await?)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn state(&self, id: SessionId) -> Result<Option<SessionState>, StoreError> {
        noted("state");
        let mut read = redis::pipe();
        read.cmd("EXISTS").arg(keys::owner(id));
        read.cmd("HMGET").arg(keys::state(id)).arg(&["level", "switches"]);
        read.cmd("SMEMBERS").arg(keys::subscriptions(id));
        let (lives, set, subscriptions) = self.redis.hot.pipe(&read).await?;
        if lives { state(id, set, subscriptions).map(Some) } else { Ok(None) }
    }
}

impl RedisStore {
    /// A session of which nothing is known here.
    async fn find(&self, id: SessionId, owner: &Owner) -> Result<Option<Arc<Session>>, StoreError> {
        let mark = self.redis.recent.mark();
        match record::admit(self, id, owner).await? {
            Found::Lives(session) => {
                self.redis.recent.keep_session(id, mark);
                Ok(Some(session))
            }
            Found::Half => {
                incomplete(id);
                Ok(None)
            }
            Found::Gone => Ok(None),
        }
    }
}

/// Starts the life of a session anew of which everything else is known.
struct Touch {
    redis: Redis,
    id: SessionId,
    user: String,
    ttl: u64,
}

impl Touch {
    /// Does so, and says whether it lives.
    async fn lives(&self) -> Result<bool, StoreError> {
        let Self { redis, id, user, ttl } = self;
        let (id, mark) = (*id, redis.recent.mark());
        let mut touch = redis::pipe();
        touch.cmd("GETEX").arg(keys::owner(id)).arg("EX").arg(*ttl);
        let slack = *ttl + SLACK;
        touch.cmd("EXPIRE").arg(keys::state(id)).arg(slack);
        touch.cmd("EXPIRE").arg(keys::subscriptions(id)).arg(slack).ignore();
        touch.cmd("EXPIRE").arg(keys::stream(id)).arg(slack).ignore();
        let (kept, state): (Option<String>, bool) = redis.hot.pipe(&touch).await?;
        if kept.as_ref() == Some(user) && state {
            redis.recent.keep_session(id, mark);
            return Ok(true);
        }
        redis.recent.is_gone(&Ended::Session(id));
        if kept.is_some() {
            incomplete(id);
            redis.hot.run::<()>(redis::cmd("DEL").arg(keys::owner(id))).await?;
        }
        Ok(false)
    }

    /// Does so while the session is still believed to live, for those that come next.
    async fn ahead(self) {
        if let Err(error) = self.lives().await {
            tracing::debug!(event = "store.unavailable", session = %self.id, %error,
                "a session is asked for again by whoever comes next");
        }
    }
}

fn incomplete(id: SessionId) {
    tracing::warn!(event = "session.incomplete", session = %id, "half of a session is gone");
}

/// What a client set, as it is kept.
pub(super) fn state(
    id: SessionId,
    (level, switches): (Option<String>, Option<String>),
    subscriptions: Vec<String>,
) -> Result<SessionState, StoreError> {
    let level = level.map_or(Ok(LogLevel::default()), |level| {
        level.parse().map_err(|_| unreadable(keys::state(id), &level))
    })?;
    let switches = switches.map(|kept| shelves::switches(&keys::state(id), &kept)).transpose()?;
    Ok(SessionState {
        level,
        subscriptions: subscriptions.into_iter().collect(),
        switches: switches.unwrap_or_default(),
    })
}
