//! The sessions themselves.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use async_trait::async_trait;
use dashmap::Entry as Slot;

use super::{
    MemoryStore,
    entry::{Entry, Stream},
};
use crate::{
    Handshake, LogLevel, Owner, Session, SessionId, SessionState, Sessions, Settled, StoreError,
    User, Written, noted, oauth::AttemptId, session::Switches,
};

#[async_trait]
impl Sessions for MemoryStore {
    async fn create(&self, id: SessionId, session: Session) -> Result<(), StoreError> {
        noted("create");
        if self.sessions.contains_key(&id) {
            return Ok(());
        }
        self.count_in(&session.owner)?;
        let told = self.changes().newest();
        let Slot::Vacant(slot) = self.sessions.entry(id) else {
            self.count_out(&session.owner);
            return Ok(());
        };
        slot.insert(Entry {
            session: self.share(session),
            expires: self.clock.now() + self.limits.session_ttl,
            state: SessionState::default(),
            switches: Switches::default(),
            calls: HashMap::new(),
            ended: VecDeque::new(),
            bytes: 0,
            cancelled: VecDeque::new(),
            stream: Stream { told, ..Stream::default() },
        });
        Ok(())
    }

    async fn settle(&self, id: SessionId, handshake: Handshake) -> Result<Settled, StoreError> {
        noted("settle");
        let newest = self.changes().newest();
        let settled = self.with(id, |entry, _| match &entry.session.handshake {
            Some(before) if **before == handshake => Settled::Done,
            Some(_) => Settled::Already,
            None => {
                let handshake = Some(Arc::new(handshake));
                let settled = Session { handshake, ..Session::clone(&entry.session) };
                entry.session = self.share(settled);
                entry.stream.told = newest;
                Settled::Done
            }
        });
        Ok(settled.unwrap_or(Settled::Gone))
    }

    async fn admit(
        &self,
        id: SessionId,
        owner: &Owner,
    ) -> Result<Option<Arc<Session>>, StoreError> {
        noted("admit");
        let ttl = self.limits.session_ttl;
        let admitted = self.with(id, |entry, now| {
            (entry.session.owner == *owner).then(|| {
                entry.expires = now + ttl;
                Arc::clone(&entry.session)
            })
        });
        Ok(admitted.flatten())
    }

    async fn delete(&self, id: SessionId, owner: &Owner) -> Result<bool, StoreError> {
        noted("delete");
        let now = self.clock.now();
        let mut lived = false;
        self.remove_if(id, |entry| {
            lived = entry.expires > now && entry.session.owner == *owner;
            lived || entry.expires <= now
        });
        Ok(lived)
    }

    async fn hold(&self, ids: &[SessionId]) -> Result<Vec<bool>, StoreError> {
        noted("hold");
        let ttl = self.limits.session_ttl;
        let hold =
            |id: &SessionId| self.with(*id, |entry, now| entry.expires = now + ttl).is_some();
        Ok(ids.iter().map(hold).collect())
    }

    async fn set_level(&self, id: SessionId, level: LogLevel) -> Result<Written, StoreError> {
        noted("set_level");
        Ok(Written::if_lives(self.with(id, |entry, _| entry.state.level = level).is_some()))
    }

    async fn subscribe(&self, id: SessionId, uri: &str) -> Result<Written, StoreError> {
        noted("subscribe");
        let limit = self.limits.subscriptions_per_session;
        let subscribed = self.with(id, |entry, _| {
            let subscriptions = &mut entry.state.subscriptions;
            if subscriptions.len() >= limit && !subscriptions.contains(uri) {
                return Err(StoreError::LimitReached { what: "subscriptions of a session", limit });
            }
            subscriptions.insert(uri.to_owned());
            Ok(())
        });
        Ok(Written::if_lives(subscribed.transpose()?.is_some()))
    }

    async fn unsubscribe(&self, id: SessionId, uri: &str) -> Result<Written, StoreError> {
        noted("unsubscribe");
        let unsubscribed = self.with(id, |entry, _| entry.state.subscriptions.remove(uri));
        Ok(Written::if_lives(unsubscribed.is_some()))
    }

    async fn flip(
        &self,
        id: SessionId,
        switch: &str,
        attempt: &AttemptId,
    ) -> Result<Option<bool>, StoreError> {
        noted("flip");
        let flipped = self.with(id, |entry, _| {
            let on = entry.switches.flip(switch, &attempt.to_string())?;
            entry.state.switches = entry.switches.on();
            Ok(on)
        });
        flipped.transpose()
    }

    async fn of_user(
        &self,
        user: &User,
        most: usize,
    ) -> Result<Vec<(SessionId, Arc<Session>)>, StoreError> {
        noted("of_user");
        let now = self.clock.now();
        let mut found: Vec<_> = self
            .sessions
            .iter()
            .filter(|entry| entry.expires > now && User::from(&entry.session.owner) == *user)
            .map(|entry| (entry.expires, *entry.key(), Arc::clone(&entry.session)))
            .collect();
        found.sort_by_key(|(expires, id, _)| (Reverse(*expires), *id));
        found.truncate(most);
        Ok(found.into_iter().map(|(_, id, session)| (id, session)).collect())
    }

    async fn glance(&self, id: SessionId) -> Result<Option<Arc<Session>>, StoreError> {
        noted("glance");
        Ok(self.with(id, |entry, _| Arc::clone(&entry.session)))
    }

    async fn state(&self, id: SessionId) -> Result<Option<SessionState>, StoreError> {
        noted("state");
        Ok(self.with(id, |entry, _| entry.state.clone()))
    }
}
