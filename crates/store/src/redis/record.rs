//! What of a session never changes, read once and then kept in the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::Pipeline;

use super::{RedisStore, keys, script, unreadable};
use crate::{Halves, Handshake, Owner, Session, SessionId, StoreError, Transport, alike::Alike};

/// The sessions seen last. An id is never used twice, so what is kept is never wrong; whether a
/// session lives is another matter.
#[derive(Default)]
pub(super) struct Records(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    sessions: Halves<SessionId, Arc<Session>>,
    alike: Alike,
}

impl Records {
    pub(super) fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        self.lock().sessions.get(&id).map(|session| Arc::clone(session))
    }

    /// Keeps one, unless it may still change.
    pub(super) fn keep(&self, id: SessionId, session: Session) -> Arc<Session> {
        if session.handshake.is_none() {
            return Arc::new(session);
        }
        let mut seen = self.lock();
        let session = seen.alike.share(session);
        seen.sessions.insert(id, Arc::clone(&session));
        session
    }

    pub(super) fn forget(&self, id: SessionId) {
        self.lock().sessions.remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) const fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::StreamableHttp => "streamable-http",
        Transport::HttpSse => "http+sse",
    }
}

/// What Redis has of a session that is not known here.
pub(super) enum Found {
    /// It is the caller's, and its life has started anew.
    Lives(Arc<Session>),
    /// It is not there, or somebody else's.
    Gone,
    /// Half of it was there, which is gone now.
    Half,
}

/// The session as it is in Redis, if it lives and is `owner`'s; then its life starts anew.
pub(super) async fn admit(
    store: &RedisStore,
    id: SessionId,
    owner: &Owner,
) -> Result<Found, StoreError> {
    let mut admit = script::call(&script::ADMIT, &keys::owner(id));
    admit.arg(&owner.user).arg(&owner.issuer).arg(&owner.client).arg(store.ttl());
    let kept: Vec<String> = store.redis.hot.run(&admit).await?;
    let [transport, initialize, version] = &kept[..] else {
        return match kept.first().map(String::as_str) {
            None => Ok(Found::Gone),
            Some("half") => Ok(Found::Half),
            Some(other) => Err(unreadable(keys::state(id), other)),
        };
    };
    let session = described(id, owner.clone(), transport, initialize, version)?;
    Ok(Found::Lives(store.records.keep(id, session)))
}

/// A session, as it is kept; an empty version is no handshake.
fn described(
    id: SessionId,
    owner: Owner,
    transport: &str,
    initialize: &str,
    version: &str,
) -> Result<Session, StoreError> {
    let kinds = [Transport::StreamableHttp, Transport::HttpSse];
    let transport = kinds
        .into_iter()
        .find(|kind| name(*kind) == transport)
        .ok_or_else(|| unreadable(keys::state(id), transport))?;
    let handshake = (!version.is_empty()).then(|| {
        Arc::new(Handshake { initialize: initialize.into(), protocol_version: version.into() })
    });
    Ok(Session { owner, transport, handshake })
}

type Fields = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

/// What is kept of a session that never changes, and whether it lives.
pub(super) type Kept = (Option<String>, Fields);

/// The two commands that read it, whosever it is. Its life stays as it is.
pub(super) fn ask(pipeline: &mut Pipeline, id: SessionId) {
    pipeline.cmd("GET").arg(keys::owner(id));
    let fields = ["issuer", "client", "transport", "initialize", "version"];
    pipeline.cmd("HMGET").arg(keys::state(id)).arg(&fields);
}

/// The session, if it lives.
pub(super) fn parse(
    id: SessionId,
    (user, fields): Kept,
) -> Result<Option<Arc<Session>>, StoreError> {
    let (issuer, client, transport, initialize, version) = fields;
    let (Some(user), Some(issuer), Some(client), Some(transport)) =
        (user, issuer, client, transport)
    else {
        return Ok(None);
    };
    let owner = Owner { user, issuer, client };
    let (initialize, version) = (initialize.unwrap_or_default(), version.unwrap_or_default());
    described(id, owner, &transport, &initialize, &version).map(Arc::new).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn a_session_without_a_handshake_may_still_change() {
        let (records, id) = (Records::default(), SessionId::random(&SystemRandom));
        let transport = Transport::HttpSse;
        let session = Session { owner: Owner::anonymous(), transport, handshake: None };
        records.keep(id, session);
        assert!(records.get(id).is_none());
    }
}
