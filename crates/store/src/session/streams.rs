//! The standalone stream: what a session has to say outside any call.
//!
//! Events wait in the session's log until a stream has passed them on. Several streams may be open
//! for one session; the newest holds the log, the others are silent shadows. Whoever reads shows
//! the [`Epoch`] under which its stream was opened, so that one stream reads at a time.

use async_trait::async_trait;
use bytes::Bytes;

use super::{ChangePosition, SessionState, Written};
use crate::{InstanceId, SessionId, StoreError};

/// How many events of a standalone stream are read at a time.
pub const PAGE: usize = 64;

/// Counts the openings of a session's standalone stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// A place in the log of the standalone stream: that of the event last seen, 0 before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub u64);

/// How a stream asks for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A new stream: it takes the log from whoever holds it. With a position it starts behind
    /// that, if the log still reaches back to it; otherwise where the last holder stopped.
    Take(Option<Position>),
    /// A shadow: it takes the log only if nobody holds it.
    IfFree,
}

/// What opening a stream found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum OpenedStream {
    /// It holds the log now.
    Holder {
        /// The epoch to pull with.
        epoch: Epoch,
        /// Where it starts.
        position: Position,
        /// The instance whose stream held the log before and is now a shadow, to be rung.
        superseded: Option<InstanceId>,
    },
    /// Another stream holds the log.
    Held {
        /// The instance it is open on.
        by: InstanceId,
    },
    /// The session is gone.
    Gone,
}

/// What became of an event for the standalone stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It is in the log.
    Kept {
        /// The instance whose stream holds the log, to be rung.
        holder: Option<InstanceId>,
    },
    /// The log is full and does without it. Whoever reads is told that something is missing.
    Full,
    /// The session is gone.
    Gone,
}

/// What a stream gets when it asks for more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pulled {
    /// Events with their positions, in order; empty if there is nothing new.
    Events {
        /// The events, at most [`PAGE`].
        events: Vec<(Position, Bytes)>,
        /// Whether events between these and the last ones were dropped, or the position the client
        /// named is unknown.
        gap: bool,
    },
    /// A newer stream holds the log.
    Superseded,
    /// The session is gone.
    Gone,
}

/// What whoever speaks on a standalone stream unasked must know of its session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// What its client set.
    pub state: SessionState,
    /// Up to where in the log of changes it was told.
    pub told: ChangePosition,
}

/// What a session is told of a part of the log of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The session.
    pub session: SessionId,
    /// Up to where it was told before.
    pub from: ChangePosition,
    /// Up to where it is told with this.
    pub upto: ChangePosition,
    /// What it is told; nothing if nothing concerns it.
    pub events: Vec<Bytes>,
}

/// The standalone streams of sessions.
#[async_trait]
pub trait Streams: Send + Sync + 'static {
    /// Opens a stream of `instance`, and starts the session's life anew.
    async fn open_stream(
        &self,
        id: SessionId,
        instance: &InstanceId,
        claim: Claim,
    ) -> Result<OpenedStream, StoreError>;

    /// The instance whose stream holds the log.
    async fn holder(&self, id: SessionId) -> Result<Option<InstanceId>, StoreError>;

    /// Adds an event to the log.
    ///
    /// A full log drops its oldest events. With HTTP with SSE the stream carries answers, too,
    /// whose clients would wait for ever: there only what has been passed on makes room, and where
    /// that is not enough it is the new event that goes.
    ///
    /// Fails with [`StoreError::LimitReached`] if it is larger than the log may be.
    async fn push(&self, id: SessionId, data: Bytes) -> Result<Pushed, StoreError>;

    /// What there is to know of the session of each of these streams. `None` for a stream that does
    /// not hold its log any more, and for a session whose handshake is not there yet: nothing may
    /// be said in it.
    async fn held(&self, streams: &[(SessionId, Epoch)]) -> Result<Vec<Option<Held>>, StoreError>;

    /// Adds what each session is told of changes to its log, as [`push`](Self::push) does, and
    /// moves its place in the log of changes, in one step for each session. One whose place is not
    /// where it was has been told already: nothing is added. Names the holders to be rung.
    async fn tell(
        &self,
        tellings: &[Telling],
    ) -> Result<Vec<(Written, Option<InstanceId>)>, StoreError>;

    /// The events after `passed`, which the stream has passed on: the next stream starts there.
    async fn pull(
        &self,
        id: SessionId,
        epoch: Epoch,
        passed: Position,
    ) -> Result<Pulled, StoreError>;

    /// Gives the log up with `passed` passed on, if the stream of that epoch still holds it, and
    /// starts the session's life anew: idleness counts from the end of the last stream.
    async fn close_stream(
        &self,
        id: SessionId,
        epoch: Epoch,
        passed: Position,
    ) -> Result<Written, StoreError>;
}
