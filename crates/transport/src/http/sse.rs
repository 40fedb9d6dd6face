//! Event streams.

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse as _, Response,
    sse::{Event, KeepAlive, Sse},
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::{HeaderName, HeaderValue, header};

/// One event on its way to a client.
#[derive(Clone, Debug)]
pub(crate) enum SseEvent {
    /// The first event of a stream: an id to come back with and when to (SEP-1699).
    Priming { id: String, retry: Duration },
    /// When to come back, for a stream that cannot be resumed.
    Retry(Duration),
    /// A message.
    Message { id: Option<String>, data: Bytes },
    /// Something for people who watch the wire.
    Comment(&'static str),
}

impl From<SseEvent> for Event {
    fn from(event: SseEvent) -> Self {
        match event {
            SseEvent::Priming { id, retry } => Self::default().id(id).retry(retry).data(""),
            SseEvent::Retry(retry) => Self::default().retry(retry).data(""),
            SseEvent::Message { id, data } => {
                let event = Self::default().event("message").data(String::from_utf8_lossy(&data));
                match id {
                    Some(id) => event.id(id),
                    None => event,
                }
            }
            SseEvent::Comment(text) => Self::default().comment(text),
        }
    }
}

/// A response that streams events, with a comment whenever nothing else was sent for a while.
pub(crate) fn event_stream<S>(events: S, keep_alive: Duration) -> Response
where
    S: Stream<Item = SseEvent> + Send + 'static,
{
    let events = events.map(|event| Ok::<Event, Infallible>(event.into()));
    let keep_alive = KeepAlive::new().interval(keep_alive);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    // Proxies neither keep, nor change, nor gather events.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}
