//! Every key and channel, in one place.
//!
//! `docs/storage.md` lists them for operators; a test holds the two together.

pub mod oauth;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::{
    CallId, ElicitationId, InstanceId, Owner, RateKey, RequestKey, SessionId, TaskId, User,
};

/// The key of a session's owner: the user's id, and whether the session lives.
pub fn owner(session: SessionId) -> String {
    format!("session:{session}:owner")
}

/// The other keys of a session. The tag, the owner's key in braces, puts them into the owner's
/// hash slot and keeps them out of `session:*:owner`.
fn of_session(session: SessionId, name: impl fmt::Display) -> String {
    format!("{{session:{session}:owner}}:{name}")
}

/// A hash: what the session is bound to, what was negotiated, its level, and where its standalone
/// stream is.
pub fn state(session: SessionId) -> String {
    of_session(session, "state")
}

/// A set: the URIs its client subscribed to.
pub fn subscriptions(session: SessionId) -> String {
    of_session(session, "subscriptions")
}

/// A stream: what waits for the standalone stream.
pub fn stream(session: SessionId) -> String {
    of_session(session, "stream")
}

/// A hash: the calls that run, each with its client's request id.
pub fn running(session: SessionId) -> String {
    of_session(session, "running")
}

/// A sorted set: the calls that ended, with the bytes of their logs, by the time they did.
pub fn ended(session: SessionId) -> String {
    of_session(session, "ended")
}

/// A sorted set: the request ids that were cancelled before a call bore them, by time.
pub fn cancelled(session: SessionId) -> String {
    of_session(session, "cancelled")
}

/// A hash: where a call runs, how far it is, and what its client answered.
pub fn call(session: SessionId, call: CallId) -> String {
    of_session(session, format_args!("call:{call}"))
}

/// A stream: a call's events.
pub fn log(session: SessionId, call: CallId) -> String {
    of_session(session, format_args!("log:{call}"))
}

/// A sorted set: the sessions of a user, to count them.
pub fn sessions_of(owner: &Owner) -> String {
    sessions_of_user(&owner.into())
}

pub(super) fn sessions_of_user(of: &User) -> String {
    format!("sessions:{}", user(of))
}

fn user(user: &User) -> String {
    let mut hash = Sha256::new();
    for part in [&user.issuer, &user.id] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// A hash: a task, whose it is, where it runs, what was asked and answered, and how it ended.
pub fn task(task: TaskId) -> String {
    format!("task:{task}")
}

/// A sorted set: the tasks of a user, to bound them, by when each is gone.
pub fn tasks_of(owner: &Owner) -> String {
    format!("tasks:{}", user(&owner.into()))
}

/// A hash: what a user keeps.
pub fn shelf(of: &User) -> String {
    format!("shelf:{}", user(of))
}

/// A hash: what a user is asked on a page, who that is, and what became of it.
pub fn elicitation(elicitation: ElicitationId) -> String {
    format!("elicitation:{elicitation}")
}

/// A sorted set: the elicitations of a user, to bound them and find them, by when each is gone.
pub fn elicitations_of(owner: &Owner) -> String {
    format!("elicitations:{}", user(&owner.into()))
}

/// A string: how much of a rate is used up, as the time when all of it will have come back.
pub fn rate(key: &RateKey) -> String {
    format!("rate:{key}")
}

/// A stream: the changes of lists and resources, for all sessions.
pub const CHANGES: &str = "cluster:changes";

/// The lease of an instance: it is there while the instance lives. A channel of the same name
/// rings it. All leases are in one hash slot: an instance that keeps its own alive knows of the
/// others' as much.
pub fn instance(instance: &InstanceId) -> String {
    format!("{{cluster:inst}}:{instance}")
}

/// A sorted set: the instances that say something of themselves, by until when that counts. Its
/// name is the tag of what they say, so that all of it is in one hash slot.
pub const REPORTS: &str = "{cluster:reports}";

/// A string: what an instance says of itself.
pub fn report(instance: &InstanceId) -> String {
    format!("{REPORTS}:{instance}")
}

/// The channel that rings every instance.
pub const BUS: &str = "cluster:bus";

/// How the channels of [`to_server`] begin.
pub(super) const TO_SERVER: &str = "mcp:shttp:toserver:";

/// The channel that rings when an answer or a cancellation came for a call. An instance subscribes
/// to it while it has a stream of the session, or runs a call of it: `PUBSUB CHANNELS` shows which
/// sessions are served. Nothing depends on it, nor on the other channels of a session.
pub fn to_server(session: SessionId) -> String {
    format!("{TO_SERVER}{session}")
}

/// The channel that rings when there is more for a client: an event of the call that bears the
/// request's id, or of the standalone stream.
pub fn to_client(session: SessionId, request: Option<&RequestKey>) -> String {
    let request = request.map_or("__GET_stream", RequestKey::as_str);
    format!("mcp:shttp:toclient:{session}:{request}")
}

/// The channel that rings when a session was ended.
pub fn control(session: SessionId) -> String {
    format!("mcp:control:{session}")
}
