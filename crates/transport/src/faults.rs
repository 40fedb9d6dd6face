//! Breaking the protocol on purpose, for those who test clients.
//!
//! The handlers of the tools that [`Config::faulty`](crate::Config::faulty) names find [`Faults`]
//! in the extensions of their request's head. What they do with it concerns the exchange of their
//! own call and nothing else. Without such tools none of it can happen.

use std::{fmt, io, sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::stream;

use crate::{call::Outgoing, queue::Sender};

/// How long the request of such a tool waits for its handler's first word.
pub(crate) const HELD: Duration = Duration::from_secs(660);

/// The tools whose handlers may break the protocol; none unless said otherwise.
#[derive(Clone, Default)]
pub struct FaultyTools(Option<Arc<IsOne>>);

type IsOne = dyn Fn(&str) -> bool + Send + Sync;

impl FaultyTools {
    /// Those whose names `is_one` is true of.
    pub fn new(is_one: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_one)))
    }

    pub(crate) fn has(&self, tool: &str) -> bool {
        self.0.as_ref().is_some_and(|is_one| is_one(tool))
    }
}

impl fmt::Debug for FaultyTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyTools")
    }
}

/// The HTTP exchange of a call, in the hands of its handler. What is asked of it takes its place
/// in the order of what the call says. After the call's last word nothing happens.
#[derive(Clone)]
pub struct Faults(Sender<Outgoing>);

/// What becomes of an event on its way to the connection. Where the call has a log, the event is in
/// it in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// It is sent.
    #[default]
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

/// Something a handler asks for.
#[derive(Debug)]
pub(crate) enum Fault {
    Respond(Box<Response>),
    Event { data: Bytes, delivery: Delivery, last: bool },
    Write(Bytes),
    Close(Duration),
    Break,
    Silence,
    Die,
}

impl Faults {
    pub(crate) fn new(outgoing: Sender<Outgoing>) -> Self {
        Self(outgoing)
    }

    fn ask(&self, fault: Fault) {
        // A call that is over has nobody left to be told.
        let _ = self.0.put(Outgoing::Fault(fault));
    }

    /// Answers the HTTP request with this; the call is over. It must be the first thing the call
    /// says: once there are headers it does nothing.
    pub fn respond(&self, response: Response) {
        self.ask(Fault::Respond(Box::new(response)));
    }

    /// Breaks the connection off in place of answering the HTTP request. As with
    /// [`Self::respond`], it must be the first thing the call says.
    pub fn hang_up(&self) {
        self.respond(nothing());
    }

    /// An event with this data, whatever that is. Empty data is no event.
    pub fn event(&self, data: impl Into<Bytes>, delivery: Delivery) {
        self.ask(Fault::Event { data: data.into(), delivery, last: false });
    }

    /// The last event of the call, in place of its answer. Empty data is no event: the stream ends
    /// without an answer.
    pub fn last(&self, data: impl Into<Bytes>) {
        self.ask(Fault::Event { data: data.into(), delivery: Delivery::Once, last: true });
    }

    /// Bytes on the connection, as they are. No log has them.
    pub fn write(&self, bytes: impl Into<Bytes>) {
        self.ask(Fault::Write(bytes.into()));
    }

    /// Ends the connection with word of when to come back. The call goes on where it has a log.
    pub fn close(&self, retry: Duration) {
        self.ask(Fault::Close(retry));
    }

    /// Breaks the connection off, before the end of the body. The call goes on where it has a log.
    pub fn break_off(&self) {
        self.ask(Fault::Break);
    }

    /// From now on the connection carries no comments while nothing is said.
    pub fn silence(&self) {
        self.ask(Fault::Silence);
    }

    /// The call is lost as if its instance had been killed. It must be the first thing the call
    /// says; the connection breaks in place of the call's last word.
    pub fn die(&self) {
        self.ask(Fault::Die);
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}

/// A response that is none: its connection breaks before the headers are written.
pub(crate) fn nothing() -> Response {
    let broken = io::Error::from(io::ErrorKind::ConnectionAborted);
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(broken)])))
}

/// Events on their way out, of which one may wait for the next.
#[derive(Debug)]
pub(crate) struct Deliveries<T> {
    late: Option<T>,
}

impl<T> Default for Deliveries<T> {
    fn default() -> Self {
        Self { late: None }
    }
}

impl<T: Clone> Deliveries<T> {
    /// What is sent for an event, in order. Where one cannot be sent in part it is sent whole.
    pub(crate) fn of(&mut self, event: T, delivery: Delivery) -> Vec<T> {
        let mut sent = match delivery {
            Delivery::Once | Delivery::Half => vec![event],
            Delivery::Twice => vec![event.clone(), event],
            Delivery::Never => return Vec::new(),
            Delivery::Late => {
                self.late = Some(event);
                return Vec::new();
            }
        };
        sent.extend(self.late.take());
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_sent_as_it_is_asked_for() {
        let mut deliveries = Deliveries::default();
        assert_eq!(deliveries.of(1, Delivery::Once), [1]);
        assert!(deliveries.of(2, Delivery::Never).is_empty());
        assert_eq!(deliveries.of(3, Delivery::Twice), [3, 3]);
        assert!(deliveries.of(4, Delivery::Late).is_empty());
        assert_eq!(deliveries.of(5, Delivery::Once), [5, 4]);
        assert_eq!(deliveries.of(6, Delivery::Once), [6]);
    }

    #[test]
    fn no_tool_is_faulty_by_itself() {
        assert!(!FaultyTools::default().has("echo"));
    }
}
