//! What a handler is made for.

use std::sync::Arc;

use bytes::Bytes;
use mcp_everything_store::{
    Bell, Bus, InstanceId, LogLevel, Owner, Pushed, Ring, SessionId, SessionState, SessionStore,
    StoreError, Written, oauth::AttemptId,
};
use rmcp::model::{ServerJsonRpcMessage, ServerNotification};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{message::json, shared::Shared};

/// What a handler is made for: one request, of one caller, in one session or in none.
#[derive(Debug)]
pub struct Scope<'a> {
    /// Who called.
    pub owner: &'a Owner,
    /// The session; `None` for `initialize` and for revisions without sessions.
    pub session: Option<&'a SessionHandle>,
    /// The connection that carries the call's events; `None` where it cannot be closed alone.
    pub stream: Option<&'a StreamControl>,
}

/// A session, as the handlers of any of its requests see it. Nothing of it is in this process.
#[derive(Clone)]
pub struct SessionHandle {
    id: SessionId,
    store: Arc<dyn SessionStore>,
    bus: Arc<dyn Bus>,
}

/// Why a session could not be read or written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SessionError {
    /// It ended meanwhile.
    #[error("the session is gone")]
    Gone,
    /// The store gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl std::fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SessionHandle {
    pub(crate) fn new<H>(id: SessionId, shared: &Shared<H>) -> Self {
        Self { id, store: Arc::clone(&shared.store), bus: Arc::clone(&shared.bus) }
    }

    /// Its id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// What its client set.
    pub async fn state(&self) -> Result<SessionState, SessionError> {
        self.store.state(self.id).await?.ok_or(SessionError::Gone)
    }

    /// Sets the least severity its client wants to see.
    pub async fn set_level(&self, level: LogLevel) -> Result<(), SessionError> {
        lives(self.store.set_level(self.id, level).await?)
    }

    /// Subscribes its client to a resource.
    pub async fn subscribe(&self, uri: &str) -> Result<(), SessionError> {
        lives(self.store.subscribe(self.id, uri).await?)
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&self, uri: &str) -> Result<(), SessionError> {
        lives(self.store.unsubscribe(self.id, uri).await?)
    }

    /// Turns a switch of the session on or off. Says whether it is on now. The same attempt again
    /// is no second flip.
    pub async fn flip(&self, switch: &str, attempt: &AttemptId) -> Result<bool, SessionError> {
        let is_on = self.store.flip(self.id, switch, attempt).await?.ok_or(SessionError::Gone)?;
        if let Err(error) = self.bus.ring(Ring::All, Bell::Switched(self.id)).await {
            tracing::debug!(event = "bus.unavailable", session = %self.id, %error,
                "a switch is seen later");
        }
        Ok(is_on)
    }

    /// Sends a notification on the standalone stream, wherever that is open; it waits if it is
    /// not.
    pub async fn notify(&self, notification: ServerNotification) -> Result<(), SessionError> {
        push(&*self.store, &*self.bus, self.id, message_bytes(notification)).await
    }
}

/// Closes the connection that carries a call's events. The call goes on, and its client comes
/// back for the rest with `Last-Event-ID` (SEP-1699).
#[derive(Clone, Debug)]
pub struct StreamControl(pub(crate) CancellationToken);

impl StreamControl {
    /// Closes the connection.
    pub fn close(&self) {
        self.0.cancel();
    }
}

pub(crate) fn message_bytes(notification: ServerNotification) -> Bytes {
    to_bytes(&ServerJsonRpcMessage::notification(notification))
}

pub(crate) fn to_bytes(message: &ServerJsonRpcMessage) -> Bytes {
    // Every field of a message is a string, a number or JSON already.
    json(message).unwrap_or_default()
}

/// Adds a message to a session's standalone stream and rings whoever holds it.
pub(crate) async fn push(
    store: &dyn SessionStore,
    bus: &dyn Bus,
    session: SessionId,
    data: Bytes,
) -> Result<(), SessionError> {
    match store.push(session, data).await? {
        Pushed::Kept { holder } => ring(bus, session, holder).await,
        // Whoever reads it is told.
        Pushed::Full => {}
        Pushed::Gone => return Err(SessionError::Gone),
    }
    Ok(())
}

/// Says that a session's standalone stream has more.
pub(crate) async fn ring(bus: &dyn Bus, session: SessionId, holder: Option<InstanceId>) {
    let Some(holder) = holder else { return };
    if let Err(error) = bus.ring(Ring::One(holder), Bell::StreamChanged(session)).await {
        // It is written, and a stream looks for itself now and then.
        tracing::warn!(event = "bus.unavailable", %session, %error, "a stream was not rung");
    }
}

fn lives(written: Written) -> Result<(), SessionError> {
    match written {
        Written::Done => Ok(()),
        Written::Gone => Err(SessionError::Gone),
    }
}
