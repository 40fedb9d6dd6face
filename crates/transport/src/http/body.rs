//! Request bodies, bounded.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::{
    sync::Semaphore,
    time::{error::Elapsed, timeout},
};

use super::Refusal;

/// How much more of a body that is too large is read and thrown away, as a multiple of the limit,
/// and for how long. A client that is still sending when its connection is closed sees a reset
/// instead of the answer.
const DRAIN: usize = 4;
const DRAIN_FOR: Duration = Duration::from_secs(5);

/// What is read of any body. More of it is read of so many at a time: else whoever opens many
/// connections and sends slowly has the memory of this process.
const SMALL: usize = 64 * 1024;
const LARGE_AT_A_TIME: usize = 64;

/// How long a body may take to come, as a multiple of the time for the next piece of it.
const WHOLE: u32 = 4;

/// Reads bodies of up to `limit` bytes, whatever their headers say.
pub(crate) struct Bodies {
    limit: usize,
    patience: Duration,
    large: Semaphore,
}

impl Bodies {
    pub(crate) fn new(limit: usize, patience: Duration) -> Self {
        Self { limit, patience, large: Semaphore::new(LARGE_AT_A_TIME) }
    }

    /// The whole body. Each piece of it must come within the patience, and all of them within four
    /// times that.
    pub(crate) async fn read(&self, body: Body) -> Result<Bytes, Refusal> {
        let whole = self.patience * WHOLE;
        within(whole, self.pieces(body)).await.unwrap_or(Err(Refusal::BodyTooSlow))
    }

    async fn pieces(&self, mut body: Body) -> Result<Bytes, Refusal> {
        let mut kept = BytesMut::new();
        let mut room = None;
        while let Some(frame) =
            within(self.patience, body.frame()).await.map_err(|_| Refusal::BodyTooSlow)?
        {
            let Ok(data) = frame.map_err(|_| Refusal::BodyUnreadable)?.into_data() else {
                continue;
            };
            if data.len() > self.limit - kept.len() {
                // Whether it can be drained or not, the answer is the same.
                let _ = timeout(DRAIN_FOR, drain(body, self.limit * DRAIN)).await;
                return Err(Refusal::BodyTooLarge { limit: self.limit });
            }
            if kept.is_empty() && body.is_end_stream() {
                // Apart from the buffer that it came in with the head, which is used again.
                let small = data.len() <= SMALL;
                return Ok(if small { Bytes::copy_from_slice(&data) } else { data });
            }
            kept.extend_from_slice(&data);
            if room.is_none() && kept.len() > SMALL {
                room = timeout(self.patience, self.large.acquire()).await.ok().and_then(Result::ok);
                if room.is_none() {
                    let what = "large requests at a time";
                    return Err(Refusal::TooMany { id: None, what, limit: LARGE_AT_A_TIME });
                }
            }
        }
        Ok(kept.freeze())
    }
}

/// As [`timeout`], and without a timer for what is there at once, as most bodies are.
async fn within<F: Future>(span: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    match poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
        Poll::Ready(there) => Ok(there),
        Poll::Pending => timeout(span, future).await,
    }
}

async fn drain(mut body: Body, mut most: usize) {
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match most.checked_sub(length) {
            Some(left) => most = left,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn bodies(limit: usize) -> Bodies {
        Bodies::new(limit, PATIENCE)
    }

    fn chunks(sizes: &[usize]) -> Body {
        let chunks: Vec<_> = sizes
            .iter()
            .map(|size| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; *size])))
            .collect();
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn the_buffer_that_a_small_body_came_in_can_be_used_again() {
        let mut buffer = BytesMut::with_capacity(1024);
        buffer.extend_from_slice(b"{}");
        let read = bodies(3).read(Body::from(buffer.split().freeze())).await.unwrap();
        assert!(buffer.try_reclaim(1024), "the body is part of it");
        assert_eq!(read, "{}");
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        assert_eq!(bodies(3).read(Body::from("xyz")).await.unwrap(), "xyz");
        assert_eq!(bodies(3).read(Body::empty()).await.unwrap(), "");
        assert_eq!(bodies(3).read(chunks(&[1, 1, 1])).await.unwrap(), "xxx");
    }

    #[tokio::test]
    async fn a_larger_one_is_refused_in_one_piece_or_in_many() {
        for body in [chunks(&[4]), chunks(&[1, 1, 1, 1]), chunks(&[3, 100])] {
            let refused = bodies(3).read(body).await;
            assert!(matches!(refused, Err(Refusal::BodyTooLarge { limit: 3 })), "{refused:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_stops_sending_is_not_waited_for() {
        let endless = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        let refused = bodies(2).read(Body::from_stream(endless)).await;
        assert!(matches!(refused, Err(Refusal::BodyTooLarge { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_sending_is_not_waited_for() {
        let silent = stream::pending::<Result<Bytes, std::io::Error>>();
        let refused = bodies(2).read(Body::from_stream(silent)).await;
        assert!(matches!(refused, Err(Refusal::BodyTooSlow)));
    }

    /// A body of which a piece comes each second, and never the last.
    fn trickle(first: usize) -> Body {
        let pieces = stream::unfold(first, |size| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; size])), 1))
        });
        Body::from_stream(pieces)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_bit_by_bit_is_not_waited_for() {
        let refused = bodies(1 << 20).read(trickle(1)).await;
        assert!(matches!(refused, Err(Refusal::BodyTooSlow)), "{refused:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_large_bodies_leave_room_for_small_ones_and_make_room_in_the_end() {
        let bodies = std::sync::Arc::new(bodies(1 << 20));
        let slow: Vec<_> = (0..LARGE_AT_A_TIME)
            .map(|_| {
                let bodies = std::sync::Arc::clone(&bodies);
                tokio::spawn(async move { bodies.read(trickle(SMALL + 1)).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let refused = bodies.read(chunks(&[SMALL, 1])).await;
        assert!(matches!(refused, Err(Refusal::TooMany { .. })), "{refused:?}");
        assert_eq!(bodies.read(chunks(&[1, 1])).await.unwrap(), "xx");
        for slow in slow {
            assert!(slow.await.unwrap().is_err());
        }
        assert_eq!(bodies.read(chunks(&[SMALL, 1])).await.unwrap().len(), SMALL + 1);
    }
}
