//! The way from a tool that misbehaves to what carries its call.

use std::{sync::Arc, time::Duration};

use rmcp::model::Extensions;

/// Finds the exchange that carries a request in its extensions, where the embedding server's
/// transport left it. `None`: the request shares what carries it with others, as over stdio.
pub type FaultHook = Arc<dyn Fn(&Extensions) -> Option<Arc<dyn FaultyWire>> + Send + Sync>;

/// What becomes of an event on its way to the client. Where the call has a log, the event is in it
/// in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is sent.
    Once,
    /// It is not sent.
    Never,
    /// It is sent twice, under the same id.
    Twice,
    /// It is sent after the next one.
    Late,
    /// Half of it is sent, and the connection breaks.
    Half,
}

/// A response to the HTTP request.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// The media type of its body; `None`: it has none to name.
    pub content_type: Option<&'static str>,
    /// Its body.
    pub body: Vec<u8>,
    /// In seconds, what `Retry-After` says.
    pub retry_after: Option<u32>,
    /// What `WWW-Authenticate` says.
    pub challenge: Challenge,
}

/// The challenge of a response; which resource and which scopes it names the embedding server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// None.
    None,
    /// The token is not good (RFC 6750, section 3.1).
    InvalidToken,
    /// It does not allow this.
    InsufficientScope,
}

/// The exchange of one call. What is asked of it takes its place in the order of what the call
/// says; after the call's last word nothing happens.
pub trait FaultyWire: Send + Sync + 'static {
    /// Answers the HTTP request with this, and the call is over. It must be the first thing the call
    /// says.
    fn respond(&self, answer: HttpAnswer);

    /// Breaks the connection off in place of answering the HTTP request. It must be the first thing
    /// the call says.
    fn hang_up(&self);

    /// An event with this data, whatever that is. Empty data is no event.
    fn event(&self, data: Vec<u8>, delivery: Delivery);

    /// The last event, in place of the call's answer. Empty data is no event: there is no answer.
    fn last(&self, data: Vec<u8>);

    /// Bytes, as they are. Whatever keeps events does not keep them.
    fn write(&self, bytes: Vec<u8>);

    /// Ends the connection with word of when to come back for the rest.
    fn close(&self, retry: Duration);

    /// Breaks the connection off.
    fn break_off(&self);

    /// Sends nothing more that only says that the connection is there.
    fn silence(&self);

    /// Loses the call as if the process that runs it had been killed. It must be the first thing the
    /// call says; the connection breaks in place of its last word.
    fn die(&self);
}
