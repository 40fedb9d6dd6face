//! Event streams.

use std::{fmt::Write as _, io, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::{HeaderName, HeaderValue, header};

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
        let mut head = String::new();
        // Writing to a string cannot fail.
        let _ = match &event {
            SseEvent::Priming { id, retry } => {
                write!(head, "id: {id}\nretry: {}\ndata:\n\n", retry.as_millis())
            }
            SseEvent::Endpoint { id, retry, url } => write!(
                head,
                "event: endpoint\nid: {id}\nretry: {}\ndata: {url}\n\n",
                retry.as_millis()
            ),
            SseEvent::Retry(retry) => write!(head, "retry: {}\n\n", retry.as_millis()),
            SseEvent::Comment(text) => write!(head, ": {text}\n\n"),
            SseEvent::Message { id: Some(id), .. } => write!(head, "event: message\nid: {id}\n"),
            SseEvent::Message { id: None, .. } => writeln!(head, "event: message"),
            SseEvent::Raw(_) | SseEvent::Break | SseEvent::Silence => Ok(()),
        };
        let data = match event {
            SseEvent::Message { data, .. } => data,
            SseEvent::Raw(bytes) => return bytes,
            SseEvent::Priming { .. }
            | SseEvent::Endpoint { .. }
            | SseEvent::Retry(_)
            | SseEvent::Comment(_)
            | SseEvent::Break
            | SseEvent::Silence => return head.into(),
        };
        let mut bytes = head.into_bytes();
        bytes.reserve(data.len() + 8);
        bytes.extend_from_slice(b"data: ");
        bytes.extend_from_slice(&data);
        bytes.extend_from_slice(b"\n\n");
        bytes.into()
    }
}

/// A response that streams events, with a comment whenever nothing else was sent for a while:
/// proxies close connections that are silent.
pub(crate) fn event_stream<S>(events: S, keep_alive: Duration) -> Response
where
    S: Stream<Item = SseEvent> + Send + 'static,
{
    let open = Some((Box::pin(events), keep_alive));
    let chunks = stream::unfold(open, |open| async move {
        let (mut events, mut keep_alive) = open?;
        let chunk = loop {
            match tokio::time::timeout(keep_alive, events.next()).await {
                Ok(Some(SseEvent::Break)) => {
                    tokio::time::sleep(BEFORE_BREAK).await;
                    return Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None));
                }
                Ok(Some(SseEvent::Silence)) => keep_alive = Duration::MAX,
                Ok(Some(event)) => break Bytes::from(event),
                Ok(None) => return None,
                Err(_) => break Bytes::from_static(b":\n\n"),
            }
        };
        Some((Ok(chunk), Some((events, keep_alive))))
    });
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
}
