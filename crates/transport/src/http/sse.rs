//! Event streams.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderName, HeaderValue, header};
use tokio::time::{Instant, Sleep, sleep_until};

/// One event on its way to a client.
#[derive(Clone, Debug)]
pub(crate) enum SseEvent {
    /// The first event of a stream: an id to come back with and when to (SEP-1699). Its data is
    /// empty, and there: a parser that sees no `data` line passes the id over.
    Priming { id: String, retry: Duration },
    /// A message: JSON, on one line.
    Message { id: Option<String>, data: Bytes },
    /// The first event of an HTTP with SSE stream: where the client sends its messages.
    Endpoint { id: String, retry: Duration, url: String },
    /// When to come back, before a stream ends that is not over. It has no data, so clients
    /// dispatch nothing.
    Retry(Duration),
    /// Something for people who watch the wire.
    Comment(&'static str),
    /// Bytes that somebody wants there as they are.
    Raw(Bytes),
    /// No event: the connection breaks off here.
    Break,
    /// No event: from here on nothing is sent only to be heard of.
    Silence,
}

/// How long what was sent before a connection is broken off has to be on its way. A server drops
/// what it has not written yet.
const BEFORE_BREAK: Duration = Duration::from_millis(50);

impl SseEvent {
    /// The first event of a stream, which a client may be cut off from before anything else comes.
    /// One that does not know events without data would try to read it as a message.
    pub(crate) fn opening(primes: bool, id: &str, retry: Duration) -> Self {
        if primes {
            Self::Priming { id: id.to_owned(), retry }
        } else {
            Self::Comment("the stream is open")
        }
    }

    /// The first half of it, and no more.
    pub(crate) fn half(self) -> [Self; 2] {
        let bytes = Bytes::from(self);
        [Self::Raw(bytes.slice(..bytes.len() / 2)), Self::Break]
    }
}

impl From<SseEvent> for Bytes {
    fn from(event: SseEvent) -> Self {
        match event {
            SseEvent::Message { id, data } => message(id.as_deref(), &data),
            SseEvent::Priming { id, retry } => {
                format!("id: {id}\nretry: {}\ndata:\n\n", retry.as_millis()).into()
            }
            SseEvent::Endpoint { id, retry, url } => {
                let retry = retry.as_millis();
                format!("event: endpoint\nid: {id}\nretry: {retry}\ndata: {url}\n\n").into()
            }
            SseEvent::Retry(retry) => format!("retry: {}\n\n", retry.as_millis()).into(),
            SseEvent::Comment(text) => format!(": {text}\n\n").into(),
            SseEvent::Raw(bytes) => bytes,
            SseEvent::Break | SseEvent::Silence => Self::new(),
        }
    }
}

/// A message as it is written, in room that it fills.
fn message(id: Option<&str>, data: &[u8]) -> Bytes {
    let [before, id, after] = id.map_or([""; 3], |id| ["id: ", id, "\n"]).map(str::as_bytes);
    [&b"event: message\n"[..], before, id, after, b"data: ", data, b"\n\n"].concat().into()
}

/// The chunks of an event stream.
struct Chunks<S> {
    events: Pin<Box<S>>,
    /// For how long nothing may be sent; `None` once nothing is sent only to be heard of.
    keep_alive: Option<Duration>,
    /// When something was sent last.
    sent: Instant,
    /// Looks whether that is too long ago. It is set anew when it goes off and not for each event,
    /// which would change what all streams share.
    timer: Pin<Box<Sleep>>,
    stage: Stage,
}

enum Stage {
    Open,
    /// The timer says when.
    Breaks,
    Over,
}

impl<S: Stream<Item = SseEvent>> Stream for Chunks<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match this.stage {
                Stage::Open => {}
                Stage::Breaks => {
                    ready!(this.timer.as_mut().poll(cx));
                    this.stage = Stage::Over;
                    let error = io::Error::from(io::ErrorKind::ConnectionAborted);
                    return Poll::Ready(Some(Err(error)));
                }
                Stage::Over => return Poll::Ready(None),
            }
            match this.events.as_mut().poll_next(cx) {
                Poll::Ready(Some(SseEvent::Break)) => {
                    this.timer.as_mut().reset(Instant::now() + BEFORE_BREAK);
                    this.stage = Stage::Breaks;
                }
                Poll::Ready(Some(SseEvent::Silence)) => this.keep_alive = None,
                Poll::Ready(Some(event)) => {
                    this.sent = Instant::now();
                    return Poll::Ready(Some(Ok(event.into())));
                }
                Poll::Ready(None) => this.stage = Stage::Over,
                Poll::Pending => {
                    let Some(keep_alive) = this.keep_alive else { return Poll::Pending };
                    ready!(this.timer.as_mut().poll(cx));
                    let now = Instant::now();
                    let is_due = now >= this.sent + keep_alive;
                    if is_due {
                        this.sent = now;
                    }
                    this.timer.as_mut().reset(this.sent + keep_alive);
                    if is_due {
                        return Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))));
                    }
                }
            }
        }
    }
}

/// A response that streams events, with a comment whenever nothing else was sent for a while:
/// proxies close connections that are silent.
pub(crate) fn event_stream<S>(events: S, keep_alive: Duration) -> Response
where
    S: Stream<Item = SseEvent> + Send + 'static,
{
    let sent = Instant::now();
    let chunks = Chunks {
        events: Box::pin(events),
        keep_alive: Some(keep_alive),
        sent,
        timer: Box::pin(sleep_until(sent + keep_alive)),
        stage: Stage::Open,
    };
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Proxies neither keep, nor change, nor gather events.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    fn text(event: SseEvent) -> String {
        String::from_utf8(Bytes::from(event).to_vec()).unwrap()
    }

    #[test]
    fn events_are_written_as_parsers_want_them() {
        let retry = Duration::from_millis(1500);
        let priming = SseEvent::Priming { id: "a.0".into(), retry };
        assert_eq!(text(priming), "id: a.0\nretry: 1500\ndata:\n\n");
        let endpoint = SseEvent::Endpoint { id: "a.0".into(), retry, url: "/m?a=b".into() };
        let expected = "event: endpoint\nid: a.0\nretry: 1500\ndata: /m?a=b\n\n";
        assert_eq!(text(endpoint), expected);
        let data = Bytes::from_static(b"{}");
        let message = SseEvent::Message { id: Some("a.1".into()), data: data.clone() };
        assert_eq!(text(message), "event: message\nid: a.1\ndata: {}\n\n");
        let message = SseEvent::Message { id: None, data };
        assert_eq!(text(message), "event: message\ndata: {}\n\n");
        assert_eq!(text(SseEvent::Comment("x")), ": x\n\n");
        assert_eq!(text(SseEvent::Retry(retry)), "retry: 1500\n\n");
        assert_eq!(text(SseEvent::Raw(Bytes::from_static(b"\r"))), "\r");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_can_be_silenced_and_broken_off() {
        let (sender, receiver) = tokio::sync::mpsc::channel(3);
        let events = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut body = event_stream(events, Duration::from_secs(15)).into_body().into_data_stream();
        sender.send(SseEvent::Silence).await.unwrap();
        let silent = tokio::time::timeout(Duration::from_secs(60), body.next()).await;
        assert!(silent.is_err(), "nothing is said for four times as long as usual");
        sender.send(SseEvent::Raw(Bytes::from_static(b"half"))).await.unwrap();
        sender.send(SseEvent::Break).await.unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), "half");
        assert!(body.next().await.unwrap().is_err());
        assert!(body.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_stream_carries_comments() {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let events = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut body = event_stream(events, Duration::from_secs(15)).into_body().into_data_stream();
        assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
        assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
        sender.send(SseEvent::Comment("x")).await.unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), ": x\n\n");
        drop(sender);
        assert!(body.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_comment_comes_when_nothing_else_was_sent_for_a_while() {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let events = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut body = event_stream(events, Duration::from_secs(15)).into_body().into_data_stream();
        let opened = Instant::now();
        tokio::time::advance(Duration::from_secs(10)).await;
        sender.send(SseEvent::Comment("x")).await.unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), ": x\n\n");
        assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
        assert_eq!(opened.elapsed().as_secs(), 25, "15 seconds after the event");
    }
}
