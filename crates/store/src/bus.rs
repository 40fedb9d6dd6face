//! Doorbells between instances.
//!
//! A bell carries names only, never what must not be lost: that is in the store before anybody
//! rings. A bell that is lost delays, it never breaks.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::{CallId, InstanceId, SessionId, StoreError};

/// Why an instance is rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bell {
    /// An answer waits for a running call.
    Answered(SessionId, CallId),
    /// A running call is cancelled.
    Cancelled(SessionId, CallId),
    /// Another connection reads the call's log now: the one it began on gets nothing more.
    Resumed(SessionId, CallId),
    /// A call's log has more.
    CallGrew(SessionId, CallId),
    /// The standalone stream has more, or another holder.
    StreamChanged(SessionId),
    /// A session is gone.
    Ended(SessionId),
    /// A client's progress on a request that a call sent it. Progress may be lost, so it travels
    /// with the bell.
    Progressed(SessionId, CallId, Bytes),
}

/// Whom to ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ring {
    /// One instance.
    One(InstanceId),
    /// Every instance.
    All,
}

/// Doorbells between instances.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Rings. For [`Ring::One`], an instance that is not there is no error.
    async fn ring(&self, whom: Ring, bell: Bell) -> Result<(), StoreError>;

    /// The bells that ring for `instance`, from now until the receiver is dropped.
    async fn listen(
        &self,
        instance: &InstanceId,
    ) -> Result<mpsc::UnboundedReceiver<Bell>, StoreError>;
}
