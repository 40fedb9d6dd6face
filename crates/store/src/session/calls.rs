//! Calls that outlive their first moments.
//!
//! A call is short until it has run a while or sends anything that is not its answer. Only then
//! is it opened here: it gets a log, may be cancelled and answered from anywhere, and its events
//! wait for a client that was cut off.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::{CallId, InstanceId, SessionId, StoreError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// A client's JSON-RPC request id in the one form used in keys and channel names.
///
/// The number 1 and the string "1" are two ids; a string of any length and content becomes at
/// most 44 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey(String);

impl RequestKey {
    /// The longest text kept as it is.
    const MAX_TEXT: usize = 24;

    /// Of a numeric id.
    pub fn number(id: i64) -> Self {
        Self(format!("n{id}"))
    }

    /// Of a string id; a long one is hashed.
    pub fn text(id: &str) -> Self {
        if id.len() <= Self::MAX_TEXT {
            Self(format!("s{}", URL_SAFE_NO_PAD.encode(id)))
        } else {
            Self(format!("h{}", URL_SAFE_NO_PAD.encode(Sha256::digest(id))))
        }
    }

    /// The written form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A call to be opened.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// Our name of it.
    pub id: CallId,
    /// The client's name of it; `None` for what a notification set off.
    pub request: Option<RequestKey>,
    /// Where it runs.
    pub instance: InstanceId,
    /// How long it has run already. A cancellation written since then is meant for it.
    pub age: Duration,
    /// For a call that is [said](Calls::say): what is said in its name if its instance dies with
    /// it.
    pub last_words: Option<Bytes>,
}

/// What opening a call found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum OpenedCall {
    /// It is open.
    Open,
    /// It is open, and its client cancelled it before that.
    Cancelled,
    /// The session is gone.
    Gone,
}

/// One event of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEvent {
    /// 1 for the first, without holes.
    pub seq: u64,
    /// The JSON-RPC message. Empty for the end of a call that was cancelled and has no answer.
    pub data: Bytes,
    /// Whether it is the last one.
    pub last: bool,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Appended {
    /// It is in the log.
    Kept {
        /// The instance that reads the log for a client that came back, to be rung.
        reader: Option<InstanceId>,
    },
    /// The log is full: neither this event nor any later one is kept, save the last.
    Full {
        /// As in [`Kept`](Self::Kept).
        reader: Option<InstanceId>,
    },
    /// The call has ended already by another hand: whoever sends this was taken for dead.
    Ended,
    /// The session is gone.
    Gone,
}

/// What became of an event that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Said {
    /// It waits on the standalone stream.
    Kept {
        /// The instance whose stream holds the log, to be rung.
        holder: Option<InstanceId>,
    },
    /// There is no room for it just now: see [`Streams::push`](super::Streams::push).
    Full,
    /// The call has ended already, perhaps by another hand: whoever sends this was taken for dead.
    Ended,
    /// The session is gone.
    Gone,
}

/// What is kept of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLog {
    /// The events after the position asked for, in order.
    pub events: Vec<CallEvent>,
    /// The number of the newest event, kept or not.
    pub newest: u64,
    /// Whether the last event has been kept, now or earlier.
    pub ended: bool,
    /// Whether events are missing because the log was full.
    pub lost: bool,
    /// Where the call runs.
    pub instance: InstanceId,
    /// The instance that read the log until now. If it is another, its reader is left behind.
    pub reader: Option<InstanceId>,
}

/// What came for a running call from its client. Reading it takes nothing away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallNews {
    /// The answers to its requests, the first to each.
    pub answers: Vec<Answer>,
    /// Whether its client cancelled it.
    pub cancelled: bool,
}

/// A running call, and where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningCall {
    /// Our name of it.
    pub id: CallId,
    /// Where it runs.
    pub instance: InstanceId,
}

/// A client's answer to a request that a call sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which of the call's requests, as the call numbered them.
    pub number: u64,
    /// The JSON-RPC response.
    pub data: Bytes,
}

/// The calls of sessions.
#[async_trait]
pub trait Calls: Send + Sync + 'static {
    /// Opens a call, and reads cancellations written before that in the same step: whoever
    /// cancels writes and then rings, whoever opens registers and then reads, so one of the two
    /// sees the other.
    ///
    /// Fails with [`StoreError::LimitReached`] if the session has too many.
    async fn open_call(&self, id: SessionId, call: NewCall) -> Result<OpenedCall, StoreError>;

    /// Adds an event to a call's log. The same event twice is kept once. The last one ends the
    /// call, and starts the session's life and the log's retention anew. A call that nothing is
    /// known of has ended.
    async fn append(
        &self,
        id: SessionId,
        call: CallId,
        event: CallEvent,
    ) -> Result<Appended, StoreError>;

    /// The events of a call after `after`, `None` if nothing is kept of it. With `reader`, that
    /// instance is rung from now on when there is more, and no other.
    async fn read_call(
        &self,
        id: SessionId,
        call: CallId,
        after: u64,
        reader: Option<&InstanceId>,
    ) -> Result<Option<CallLog>, StoreError>;

    /// Marks the running calls that bear a request's id as cancelled, and names them. If there is
    /// none, the mark waits for a call that is opened shortly after.
    async fn cancel(
        &self,
        id: SessionId,
        request: &RequestKey,
    ) -> Result<Vec<RunningCall>, StoreError>;

    /// Keeps an answer for a running call and says where it runs, `None` if no such call waits.
    /// A second answer to the same request is not kept.
    async fn answer(
        &self,
        id: SessionId,
        call: CallId,
        answer: Answer,
    ) -> Result<Option<InstanceId>, StoreError>;

    /// What came for a call, `None` if it does not run.
    async fn call_news(&self, id: SessionId, call: CallId) -> Result<Option<CallNews>, StoreError>;

    /// Adds an event of a call to the standalone stream, in place of a log of its own: for what a
    /// notification set off, and for transports that have no other stream. The same event twice is
    /// added once. Empty data says nothing. The last event ends the call, which is forgotten then,
    /// and starts the session's life anew.
    ///
    /// Fails with [`StoreError::LimitReached`] if it is larger than the log may be.
    async fn say(&self, id: SessionId, call: CallId, event: CallEvent) -> Result<Said, StoreError>;

    /// The calls of a session that run.
    async fn running(&self, id: SessionId) -> Result<Vec<RunningCall>, StoreError>;

    /// Ends a call whose instance died with it: its last words are said, and it is forgotten.
    async fn bury(&self, id: SessionId, call: CallId) -> Result<Said, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_keys_keep_ids_apart_and_bounded() {
        assert_ne!(RequestKey::number(1), RequestKey::text("1"));
        assert_ne!(RequestKey::text("__GET_stream").as_str(), "__GET_stream");
        let long = RequestKey::text(&"x".repeat(1 << 20));
        assert_eq!(long.as_str().len(), 44);
        assert_ne!(long, RequestKey::text(&"x".repeat((1 << 20) - 1)));
    }
}
