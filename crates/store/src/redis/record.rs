//! What of a session never changes, read once and then kept in the process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{RedisStore, keys, unreadable};
use crate::{Handshake, Owner, Session, SessionId, StoreError, Transport};

/// How many are kept twice over: in the newer half and in the older one.
const HALF: usize = 4096;

/// The sessions seen last. An id is never used twice, so what is kept is never wrong; whether a
/// session lives is asked each time.
#[derive(Default)]
pub(super) struct Records(Mutex<Halves>);

/// When the newer half is full it becomes the older one, which goes.
#[derive(Default)]
struct Halves {
    newer: HashMap<SessionId, Arc<Session>>,
    older: HashMap<SessionId, Arc<Session>>,
}

impl Records {
    pub(super) fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = halves.newer.get(&id) {
            return Some(Arc::clone(session));
        }
        let session = halves.older.remove(&id)?;
        halves.insert(id, Arc::clone(&session));
        Some(session)
    }

    /// Keeps one that will not change any more.
    pub(super) fn keep(&self, id: SessionId, session: Arc<Session>) {
        if session.handshake.is_some() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, session);
        }
    }

    pub(super) fn forget(&self, id: SessionId) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.newer.remove(&id);
        halves.older.remove(&id);
    }
}

impl Halves {
    fn insert(&mut self, id: SessionId, session: Arc<Session>) {
        if self.newer.len() >= HALF {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(id, session);
    }
}

pub(super) const fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::StreamableHttp => "streamable-http",
        Transport::HttpSse => "http+sse",
    }
}

/// The session as it is in Redis, if it lives. Its life stays as it is.
pub(super) async fn read(
    store: &RedisStore,
    id: SessionId,
) -> Result<Option<Arc<Session>>, StoreError> {
    type Fields = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);
    let mut read = redis::pipe();
    read.cmd("GET").arg(keys::owner(id));
    let fields = ["issuer", "client", "transport", "initialize", "version"];
    read.cmd("HMGET").arg(keys::state(id)).arg(&fields);
    let (user, fields): (Option<String>, Fields) = store.redis.hot.pipe(&read).await?;
    let (issuer, client, transport, initialize, version) = fields;
    let (Some(user), Some(issuer), Some(client), Some(transport)) =
        (user, issuer, client, transport)
    else {
        return Ok(None);
    };
    let kinds = [Transport::StreamableHttp, Transport::HttpSse];
    let transport = kinds
        .into_iter()
        .find(|kind| name(*kind) == transport)
        .ok_or_else(|| unreadable(keys::state(id), &transport))?;
    let handshake = initialize.zip(version).map(|(initialize, version)| {
        Arc::new(Handshake { initialize: initialize.into(), protocol_version: version.into() })
    });
    let session = Arc::new(Session { owner: Owner { user, issuer, client }, transport, handshake });
    store.records.keep(id, Arc::clone(&session));
    Ok(Some(session))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn the_sessions_seen_last_are_kept_and_no_more_than_that() {
        let records = Records::default();
        let session = Arc::new(Session {
            owner: Owner::anonymous(),
            transport: Transport::StreamableHttp,
            handshake: Some(Arc::new(Handshake {
                initialize: "{}".into(),
                protocol_version: "2025-11-25".into(),
            })),
        });
        let first = SessionId::random(&SystemRandom);
        records.keep(first, Arc::clone(&session));
        for number in 0..3 * HALF {
            records.keep(SessionId::random(&SystemRandom), Arc::clone(&session));
            if number % HALF == 0 {
                assert!(records.get(first).is_some(), "it is used, so it stays");
            }
        }
        let halves = records.0.lock().unwrap();
        assert!(halves.newer.len() + halves.older.len() <= 2 * HALF);
        drop(halves);
        records.forget(first);
        assert!(records.get(first).is_none());
    }

    #[test]
    fn a_session_without_a_handshake_may_still_change() {
        let (records, id) = (Records::default(), SessionId::random(&SystemRandom));
        let transport = Transport::HttpSse;
        let session = Session { owner: Owner::anonymous(), transport, handshake: None };
        records.keep(id, Arc::new(session));
        assert!(records.get(id).is_none());
    }
}
