//! Whether a connection has a request to answer.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};

/// How many requests of a connection are not answered to the end: one at most, or none.
#[derive(Clone, Debug)]
pub(super) struct Busy(Arc<Requests>);

#[derive(Debug)]
struct Requests {
    count: AtomicUsize,
    changed: Notify,
    opened: Instant,
    /// When the last one was answered, or something of an answer was written if that was later, in
    /// milliseconds since then.
    moved: AtomicU64,
    /// Whether every answer is the last of its connection.
    leaving: Arc<AtomicBool>,
}

impl Busy {
    /// Of a connection that was opened now.
    pub(super) fn new(leaving: Arc<AtomicBool>) -> Self {
        Self(Arc::new(Requests {
            count: AtomicUsize::default(),
            changed: Notify::default(),
            opened: Instant::now(),
            moved: AtomicU64::default(),
            leaving,
        }))
    }

    /// Counts a request until what is returned is dropped.
    pub(super) fn begin(&self) -> Answering {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
        Answering(Arc::clone(&self.0))
    }

    /// Returns when there has been no request for so long.
    pub(super) async fn quiet(&self, span: Duration) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            // What changes from here on is not missed.
            changed.as_mut().enable();
            if self.0.count.load(Ordering::SeqCst) > 0 {
                changed.await;
            } else if timeout(span, changed).await.is_err() {
                // One that came meanwhile counts, also if it is answered already.
                return;
            }
        }
    }

    /// Something was written. An answer that hyper has taken is answered here, and may be on its way
    /// to a slow reader for long.
    pub(super) fn wrote(&self) {
        self.0.moved();
    }

    /// Returns when no request has begun for so long since the last one was answered, and since
    /// something was written.
    pub(super) async fn idle(&self, span: Duration) {
        loop {
            let (is_busy, now) = (self.0.count.load(Ordering::SeqCst) > 0, Instant::now());
            let moved = Duration::from_millis(self.0.moved.load(Ordering::SeqCst));
            let since = if is_busy { now } else { self.0.opened + moved };
            if now >= since + span {
                return;
            }
            // However often it is busy meanwhile, it has not been idle for so long before that.
            sleep_until(since + span).await;
        }
    }
}

impl Requests {
    fn moved(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(now, Ordering::SeqCst);
    }
}

/// A request that is not answered to the end.
pub(super) struct Answering(Arc<Requests>);

impl Answering {
    /// Whether its answer is the last of the connection.
    pub(super) fn is_last(&self) -> bool {
        self.0.leaving.load(Ordering::Relaxed)
    }

    /// The body of the answer, whose end is the request's.
    pub(super) fn until_the_end_of(self, body: Body) -> Body {
        Body::new(Counted { body, _answering: self })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.moved();
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

struct Counted {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const SPAN: Duration = Duration::from_millis(250);

    fn busy() -> Busy {
        Busy::new(Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_quiet_when_nothing_was_asked_for_a_while() {
        let busy = busy();
        let started = Instant::now();
        busy.quiet(SPAN).await;
        assert!(started.elapsed() >= SPAN);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_until_its_body_ends() {
        let busy = busy();
        let body = busy.begin().until_the_end_of(Body::from("some"));
        assert_eq!(body.size_hint().exact(), Some(4), "its length is still known");
        assert!(timeout(SPAN * 10, busy.quiet(SPAN)).await.is_err());
        drop(body);
        busy.quiet(SPAN).await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_idle_when_nothing_was_asked_since_the_last_answer() {
        let (busy, started) = (busy(), Instant::now());
        let asks = async {
            tokio::time::sleep(SPAN / 2).await;
            let answering = busy.begin();
            tokio::time::sleep(SPAN * 10).await;
            drop(answering);
        };
        tokio::join!(asks, busy.idle(SPAN));
        assert_eq!(started.elapsed(), SPAN / 2 + SPAN * 11);
        busy.idle(SPAN).await;
        assert_eq!(started.elapsed(), SPAN / 2 + SPAN * 11, "it is so still");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_comes_meanwhile_is_waited_for() {
        let busy = busy();
        let started = Instant::now();
        let asks = async {
            tokio::time::sleep(SPAN / 2).await;
            drop(busy.begin());
        };
        tokio::join!(asks, busy.quiet(SPAN));
        assert!(started.elapsed() >= SPAN + SPAN / 2);
    }
}
