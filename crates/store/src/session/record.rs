//! The session itself: who owns it, what was negotiated, and what it set.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::LogLevel;
use crate::{Owner, SessionId, StoreError, User, oauth::AttemptId};

/// How a session's client speaks to its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Transport {
    /// Streamable HTTP.
    StreamableHttp,
    /// The HTTP with SSE of 2024-11-05.
    HttpSse,
}

/// What client and server agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handshake {
    /// The parameters of `initialize`, as JSON.
    pub initialize: Arc<str>,
    /// The negotiated protocol version, which need not be the one the client asked for.
    pub protocol_version: Arc<str>,
}

/// What of a session never changes, once the handshake is there. A process may keep it as long as
/// it likes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// Whom it is bound to.
    pub owner: Owner,
    /// How its client speaks.
    pub transport: Transport,
    /// `None` between the opening of an HTTP with SSE stream and `initialize`.
    pub handshake: Option<Arc<Handshake>>,
}

/// What became of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Settled {
    /// It is the session's.
    Done,
    /// There was another one before, which stays.
    Already,
    /// The session is gone.
    Gone,
}

/// What of a session changes: read where it is needed, and kept nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionState {
    /// The least severity its client wants to see (`logging/setLevel`).
    pub level: LogLevel,
    /// The resources its client subscribed to (`resources/subscribe`).
    pub subscriptions: BTreeSet<String>,
    /// The switches that are on.
    pub switches: BTreeSet<String>,
}

/// What became of a write to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// It is written.
    Done,
    /// The session is gone, and the write did not bring it back.
    Gone,
}

impl Written {
    /// [`Done`](Self::Done) if there was a session to write to.
    pub const fn if_lives(lives: bool) -> Self {
        if lives { Self::Done } else { Self::Gone }
    }
}

/// The sessions themselves.
///
/// A session lives for its time to live after it was last admitted, held or written to a log's
/// end. Every other write leaves its life as it is, and no write recreates a session that is gone.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Keeps a new session, which is told of the changes that are recorded from now on.
    ///
    /// Fails with [`StoreError::LimitReached`] if its user has too many, or the store. A second
    /// call with the same id changes nothing: ids are never used twice, so it is the first one
    /// repeated.
    async fn create(&self, id: SessionId, session: Session) -> Result<(), StoreError>;

    /// Keeps the handshake of a session that began without. The same one again is no other. The
    /// session is told of the changes that are recorded from now on.
    async fn settle(&self, id: SessionId, handshake: Handshake) -> Result<Settled, StoreError>;

    /// The session, if it lives and is `owner`'s, and its life starts anew.
    ///
    /// A session of somebody else is `None`, the same as one that never was, and its life does
    /// not change.
    async fn admit(&self, id: SessionId, owner: &Owner)
    -> Result<Option<Arc<Session>>, StoreError>;

    /// Ends the session with all that is kept of it, if it lives and is `owner`'s. Says whether.
    async fn delete(&self, id: SessionId, owner: &Owner) -> Result<bool, StoreError>;

    /// Starts the lives of sessions anew that have an open stream or a running call, and says of
    /// each whether it still lives.
    async fn hold(&self, ids: &[SessionId]) -> Result<Vec<bool>, StoreError>;

    /// Sets the least severity the client wants to see.
    async fn set_level(&self, id: SessionId, level: LogLevel) -> Result<Written, StoreError>;

    /// Adds a resource to the subscriptions.
    ///
    /// Fails with [`StoreError::LimitReached`] if the session has too many.
    async fn subscribe(&self, id: SessionId, uri: &str) -> Result<Written, StoreError>;

    /// Takes a resource from the subscriptions; not being subscribed is no error.
    async fn unsubscribe(&self, id: SessionId, uri: &str) -> Result<Written, StoreError>;

    /// Turns a switch of a session on if it is off, which it is at first, and off if it is on. Says
    /// whether it is on now; `None` if the session is gone. The same attempt again is no second flip.
    ///
    /// Fails with [`StoreError::LimitReached`] if the session has too many switches.
    async fn flip(
        &self,
        id: SessionId,
        switch: &str,
        attempt: &AttemptId,
    ) -> Result<Option<bool>, StoreError>;

    /// Sessions of a user that live, by whatever clients: no more than `most`, of which the newest
    /// are looked for first. Their lives stay as they are.
    async fn of_user(
        &self,
        user: &User,
        most: usize,
    ) -> Result<Vec<(SessionId, Arc<Session>)>, StoreError>;

    /// A session, whosever it is, and its life stays as it is: for whoever may see all of them.
    async fn glance(&self, id: SessionId) -> Result<Option<Arc<Session>>, StoreError>;

    /// The changing part of a session, `None` if it is gone.
    async fn state(&self, id: SessionId) -> Result<Option<SessionState>, StoreError>;
}
