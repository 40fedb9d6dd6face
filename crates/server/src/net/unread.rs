//! What is left of a request when it is answered.
//!
//! A request may be refused before its body has come: its token is looked at first. A connection
//! whose request was not read to the end must close after the answer (RFC 9112 section 9.3), and a
//! client that was not told sends its next request into it, in vain. So a short rest is read, and
//! where it is long the answer says that it is the last (section 9.6).

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, Bytes},
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use thiserror::Error;
use tokio::{
    sync::oneshot,
    time::{Sleep, sleep, timeout},
};

/// How long the next piece of a request's body may take to come. Who reads one and is less patient,
/// as the endpoint is, knows why it did not come and says so: this must not be over first.
const NEXT: Duration = Duration::from_secs(45);
/// How many bytes that nobody asked for are read.
const MOST: u64 = 64 * 1024;
/// How long they may take to come.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the one who answers leaves of the body of a request.
pub(super) struct Unread<B>(Option<oneshot::Receiver<B>>);

/// The body for the one who answers, and what will be left of it.
pub(super) fn watch<B>(body: B) -> (Body, Unread<B>)
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    if body.is_end_stream() {
        return (Body::new(body), Unread(None));
    }
    let (left, unread) = oneshot::channel();
    (Body::new(Watched { body: Some(body), left: Some(left), late: None }), Unread(Some(unread)))
}

impl<B: HttpBody<Data = Bytes> + Unpin> Unread<B> {
    /// Reads it if that is soon done. Whether all of the request has been read then, or somebody
    /// still reads.
    pub(super) async fn read(self) -> bool {
        // Nothing is sent by who read to the end, and not yet by who has the body still.
        let Some(mut body) = self.0.and_then(|mut left| left.try_recv().ok()) else {
            return true;
        };
        if body.size_hint().lower() > MOST {
            return false;
        }
        timeout(PATIENCE, read_to_the_end(&mut body)).await.unwrap_or(false)
    }
}

async fn read_to_the_end<B: HttpBody<Data = Bytes> + Unpin>(body: &mut B) -> bool {
    let mut read = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
        let Ok(frame) = frame else {
            return false;
        };
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > MOST {
            return false;
        }
    }
    true
}

/// The next piece of a body did not come.
#[derive(Debug, Error)]
#[error("the request's body did not come in time")]
struct TooSlow;

struct Watched<B> {
    body: Option<B>,
    left: Option<oneshot::Sender<B>>,
    /// Where the next piece is waited for. Most bodies are there when they are read.
    late: Option<Pin<Box<Sleep>>>,
}

impl<B> HttpBody for Watched<B>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, late, .. } = &mut *self;
        let Some(reading) = body else {
            return Poll::Ready(None);
        };
        let Poll::Ready(polled) = Pin::new(reading).poll_frame(context) else {
            let late = late.get_or_insert_with(|| Box::pin(sleep(NEXT)));
            return late.as_mut().poll(context).map(|()| Some(Err(TooSlow.into())));
        };
        *late = None;
        // What is read to its end, or broken, leaves nothing.
        if let None | Some(Err(_)) = polled {
            *body = None;
        }
        Poll::Ready(polled.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(left)) = (self.body.take(), self.left.take()) {
            // Nobody waits for it when the connection is gone.
            let _ = left.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures::{StreamExt as _, stream};
    use tokio::time::Instant;

    use super::*;

    /// A body that never says how long it is.
    fn of(parts: Vec<&'static str>) -> Body {
        Body::from_stream(stream::iter(parts.into_iter().map(Ok::<_, BoxError>)))
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_of_what_was_read() {
        let (body, unread) = watch(of(vec!["a", "b"]));
        assert_eq!(to_bytes(body, 10).await.unwrap(), "ab");
        assert!(unread.read().await);
        let (body, unread) = watch(Body::empty());
        drop(body);
        assert!(unread.read().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_rest_is_read() {
        let (body, unread) = watch(of(vec!["a", "b"]));
        drop(body);
        assert!(unread.read().await);
        let (body, unread) = watch(Body::from("some"));
        drop(body);
        assert!(unread.read().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_rest_is_not_waited_for() {
        let started = Instant::now();
        let long = "x".repeat(usize::try_from(MOST).unwrap() + 1);
        let (body, unread) = watch(Body::from(long.clone()));
        drop(body);
        assert!(!unread.read().await, "it says how long it is");
        let (body, unread) = watch(Body::from_stream(stream::iter([Ok::<_, BoxError>(long)])));
        drop(body);
        assert!(!unread.read().await, "it does not say how long it is");
        assert!(started.elapsed() < PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_come_is_waited_for_a_moment() {
        let started = Instant::now();
        let (body, unread) = watch(Body::from_stream(stream::pending::<Result<Bytes, BoxError>>()));
        drop(body);
        assert!(!unread.read().await);
        assert_eq!(started.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_whose_next_piece_does_not_come_is_given_up() {
        let started = Instant::now();
        let slow = stream::once(async { Ok::<_, BoxError>(Bytes::from("a")) });
        let (body, _unread) = watch(Body::from_stream(slow.chain(stream::pending())));
        let mut pieces = body.into_data_stream();
        assert!(pieces.next().await.unwrap().is_ok());
        assert!(pieces.next().await.unwrap().is_err());
        assert_eq!(started.elapsed(), NEXT);
    }

    #[tokio::test(start_paused = true)]
    async fn who_still_reads_is_left_alone() {
        let (_body, unread) = watch(of(vec!["a"]));
        assert!(unread.read().await);
    }
}
