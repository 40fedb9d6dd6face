//! Request bodies, bounded.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use super::Refusal;

/// How much more of a body that is too large is read and thrown away, as a multiple of the limit,
/// and for how long. A client that is still sending when its connection is closed sees a reset
/// instead of the answer.
const DRAIN: usize = 4;
const DRAIN_FOR: Duration = Duration::from_secs(5);

/// The whole body, if it is no larger than `limit` bytes whatever its headers say.
///
/// Each piece of it must come within `patience`.
pub(crate) async fn read(
    mut body: Body,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Refusal> {
    let mut kept = BytesMut::new();
    while let Some(frame) =
        timeout(patience, body.frame()).await.map_err(|_| Refusal::BodyTooSlow)?
    {
        let Ok(data) = frame.map_err(|_| Refusal::BodyUnreadable)?.into_data() else { continue };
        if data.len() > limit - kept.len() {
            // Whether it can be drained or not, the answer is the same.
            let _ = timeout(DRAIN_FOR, drain(body, limit * DRAIN)).await;
            return Err(Refusal::BodyTooLarge { limit });
        }
        if kept.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        kept.extend_from_slice(&data);
    }
    Ok(kept.freeze())
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

    fn chunks(sizes: &[usize]) -> Body {
        let chunks: Vec<_> = sizes
            .iter()
            .map(|size| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; *size])))
            .collect();
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        assert_eq!(read(Body::from("xyz"), 3, PATIENCE).await.unwrap(), "xyz");
        assert_eq!(read(Body::empty(), 3, PATIENCE).await.unwrap(), "");
        assert_eq!(read(chunks(&[1, 1, 1]), 3, PATIENCE).await.unwrap(), "xxx");
    }

    #[tokio::test]
    async fn a_larger_one_is_refused_in_one_piece_or_in_many() {
        for body in [chunks(&[4]), chunks(&[1, 1, 1, 1]), chunks(&[3, 100])] {
            let refused = read(body, 3, PATIENCE).await;
            assert!(matches!(refused, Err(Refusal::BodyTooLarge { limit: 3 })), "{refused:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_stops_sending_is_not_waited_for() {
        let endless = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        let refused = read(Body::from_stream(endless), 2, PATIENCE).await;
        assert!(matches!(refused, Err(Refusal::BodyTooLarge { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_sending_is_not_waited_for() {
        let silent = stream::pending::<Result<Bytes, std::io::Error>>();
        let refused = read(Body::from_stream(silent), 2, PATIENCE).await;
        assert!(matches!(refused, Err(Refusal::BodyTooSlow)));
    }
}
