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

use crate::{
    CallId, ElicitationId, InstanceId, OwnerMark, SessionId, StoreError, TaskId, oauth::GrantId,
};

/// How long what travels with a bell may be, in bytes.
pub(crate) const MAX_CARRIED: usize = 16 * 1024;

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
    /// Somebody looks at what instances say of themselves: they say it more often for a while.
    Looked,
    /// Somebody at this instance watches a session of that owner for a while; `true`: who may see
    /// what is in its messages.
    Watched(SessionId, InstanceId, OwnerMark, bool),
    /// What was done at an instance for a session that is watched, as JSON. It may be lost, so it
    /// travels with the bell; more than 16 KiB does not.
    Traced(SessionId, InstanceId, Bytes),
}

impl Bell {
    /// The name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CallNews(..) => "call_news",
            Self::Resumed(..) => "resumed",
            Self::CallGrew(..) => "call_grew",
            Self::StreamChanged(_) => "stream_changed",
            Self::Switched(_) => "switched",
            Self::TaskNews(_) => "task_news",
            Self::ElicitationSettled(_) => "elicitation_settled",
            Self::TaskChanged(_) => "task_changed",
            Self::Changed => "changed",
            Self::Ended(_) => "ended",
            Self::Revoked(_) => "revoked",
            Self::Missed => "missed",
            Self::Progressed(..) => "progressed",
            Self::Looked => "looked",
            Self::Watched(..) => "watched",
            Self::Traced(..) => "traced",
        }
    }

    /// The session it is about, if it is about one.
    pub const fn session(&self) -> Option<SessionId> {
        match self {
            Self::CallNews(session, _)
            | Self::Resumed(session, _)
            | Self::CallGrew(session, _)
            | Self::StreamChanged(session)
            | Self::Switched(session)
            | Self::Ended(session)
            | Self::Progressed(session, ..)
            | Self::Watched(session, ..)
            | Self::Traced(session, ..) => Some(*session),
            Self::TaskNews(_)
            | Self::ElicitationSettled(_)
            | Self::TaskChanged(_)
            | Self::Changed
            | Self::Revoked(_)
            | Self::Missed
            | Self::Looked => None,
        }
    }

    /// What travels with it.
    pub(crate) const fn carried(&self) -> Option<&Bytes> {
        match self {
            Self::Progressed(.., data) | Self::Traced(.., data) => Some(data),
            Self::CallNews(..)
            | Self::Resumed(..)
            | Self::CallGrew(..)
            | Self::StreamChanged(_)
            | Self::Switched(_)
            | Self::TaskNews(_)
            | Self::ElicitationSettled(_)
            | Self::TaskChanged(_)
            | Self::Changed
            | Self::Ended(_)
            | Self::Revoked(_)
            | Self::Missed
            | Self::Looked
            | Self::Watched(..) => None,
        }
    }
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
