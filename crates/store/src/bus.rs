//! Doorbells between instances.
//!
//! A bell carries names only, never what must not be lost: that is in the store before anybody
//! rings. Whoever waits looks again after [`Bell::Missed`], and now and then, so a bell that is
//! lost delays and does not break.

mod attendance;
mod bells;

use async_trait::async_trait;
use bytes::Bytes;

pub use attendance::Attendance;
pub use bells::{Bells, Ringer};

use crate::{CallId, ElicitationId, InstanceId, SessionId, StoreError, TaskId, oauth::GrantId};

/// How long a client's progress may be to travel with a bell, in bytes.
pub(crate) const MAX_PROGRESS: usize = 16 * 1024;

/// Why an instance is rung.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bell {
    /// Something came for a running call: an answer, or its cancellation.
    CallNews(SessionId, CallId),
    /// Another connection reads the call's log now: the ones before get nothing more.
    Resumed(SessionId, CallId),
    /// A call's log has more.
    CallGrew(SessionId, CallId),
    /// The standalone stream has more, or another holder.
    StreamChanged(SessionId),
    /// A switch of a session was flipped.
    Switched(SessionId),
    /// Something came for a task: answers, or its cancellation.
    TaskNews(TaskId),
    /// A user answered on a page, or refused.
    ElicitationSettled(ElicitationId),
    /// A task asks something else, or has ended.
    TaskChanged(TaskId),
    /// The log of changes has more.
    Changed,
    /// A session is gone.
    Ended(SessionId),
    /// A grant is revoked: what was opened with it ends.
    Revoked(GrantId),
    /// Bells may have been lost: look at everything again.
    Missed,
    /// A client's progress on a request that a call sent it. Progress may be lost, so it travels
    /// with the bell; more than 16 KiB does not.
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

    /// Whether an instance listens. `false` only if it surely does not; whoever cannot know it
    /// just now fails with [`StoreError::Unavailable`].
    async fn is_alive(&self, instance: &InstanceId) -> Result<bool, StoreError>;

    /// The bells that ring for `instance`, from now until they are dropped. What rang before it
    /// is heard there may be lost: then the first bell is [`Bell::Missed`].
    async fn listen(&self, instance: &InstanceId) -> Result<Bells, StoreError>;

    /// Says that a session is served here for longer than a request: it has a stream, or a call
    /// that runs. That is for operators to see. Nothing depends on it, and nothing waits for it.
    fn attend(&self, session: SessionId) -> Attendance;
}
