//! What is said on a connection.

use std::{
    convert::Infallible,
    fmt::Display,
    net::SocketAddr,
    pin::{Pin, pin},
    time::Duration,
};

use axum::body::Body;
use http::{
    HeaderValue, StatusCode,
    header::{CONNECTION, CONTENT_TYPE},
};
use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::http1,
    service::{HttpService, Service, service_fn},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{busy::Busy, unread};
use crate::http::Front;

/// How long the head of a request may take to come, and a connection may be idle. Longer than
/// common clients keep one: where both ends close at once a request fails.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the head of a request may be, in bytes: so much is kept of one that never ends, before
/// anybody knows whose it is.
const LONGEST_HEAD: usize = 32 * 1024;
/// What is said to a request in clear where TLS is spoken.
const IN_CLEAR: &str = "this port speaks https: begin the URL with https://\n";

/// What answers the requests of a peer, each of which makes its connection busy.
pub(super) fn answers(
    front: Front,
    peer: SocketAddr,
    busy: &Busy,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send> + use<>
{
    let busy = busy.clone();
    service_fn(move |request: Request<Incoming>| {
        let answering = busy.begin();
        let (head, body) = request.into_parts();
        let (body, unread) = unread::watch(body);
        let answer = front.answer(peer, Request::from_parts(head, body));
        async move {
            let mut answer = answer.await;
            let all_read = unread.read().await;
            if answering.is_last() || !all_read {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer.map(|body| answering.until_the_end_of(body)))
        }
    })
}

/// Answers what comes on a connection, until it ends, is `over`, or has not been busy for too long.
/// One timer for a connection sees to that; hyper would have one for each request. Whoever reads an
/// answer slowly is waited for, as `busy` knows from [`Written`](super::written::Written).
pub(super) async fn converse<I, S>(
    connection: I,
    service: S,
    over: Pin<&mut impl Future<Output = ()>>,
    busy: Busy,
) where
    I: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<Incoming, ResBody = Body, Error = Infallible>,
{
    let served = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(connection), service);
    let mut served = pin!(served);
    let served = async {
        tokio::select! {
            ended = served.as_mut() => ended,
            () = over => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        }
    };
    tokio::select! {
        // What has come is read first.
        biased;
        ended = served => {
            if let Err(error) = ended {
                broke_off(&error);
            }
        }
        () = busy.idle(HEAD_TIMEOUT) => broke_off(&"nothing came, and nothing was read"),
    }
}

/// How a connection ends is its client's business.
pub(super) fn broke_off(error: &dyn Display) {
    tracing::debug!(event = "http.connection_failed", %error, "a connection broke off");
}

/// What it asks for is not looked at: it may be a secret that should not have travelled like that.
pub(super) async fn refuse_in_clear(
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (body, unread) = unread::watch(request.into_body());
    drop(body);
    unread.read().await;
    let mut answer = Response::new(Body::from(IN_CLEAR));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(answer)
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        future::pending,
        sync::{Arc, atomic::AtomicBool},
    };

    use axum::{BoxError, Router, body::Bytes, routing::get};
    use futures::{StreamExt as _, stream};
    use mcp_everything_store::{InstanceId, SystemRandom};
    use mcp_everything_transport::{HostPolicy, OriginPolicy};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        task::JoinHandle,
        time::{Instant, sleep},
    };

    use super::*;
    use crate::{
        app::App,
        http::{Proxies, Requests, Site},
        metrics::Metrics,
        net::written::Written,
        settings::{RawSettings, Role, Settings},
        telemetry::Lines,
    };

    const ASKED: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    /// What a connection holds of what nobody has read yet.
    const HELD: usize = 1024;
    /// Read by so much a second it takes longer than a connection may rest.
    const LARGE: usize = 100 * HELD;

    /// A server of these pages.
    pub(in super::super) fn front(routes: Router) -> Front {
        let requests = Requests {
            server: None,
            random: Arc::new(SystemRandom),
            proxies: Proxies::default(),
            metrics: Arc::new(Metrics::new(&InstanceId::random("test", &SystemRandom))),
            sessions: Arc::default(),
        };
        let site = Site { path: "/".to_owned(), endpoints: Arc::default() };
        Front::new(routes, requests, HostPolicy::default(), OriginPolicy::default(), site)
    }

    /// A client's end of a connection, and what ends when the server has left it.
    fn connect(front: Front, is_leaving: bool) -> (DuplexStream, JoinHandle<()>) {
        let (client, server) = duplex(HELD);
        let busy = Busy::new(Arc::new(AtomicBool::new(is_leaving)));
        let server = Written::new(server, busy.clone());
        let service = answers(front, ([127, 0, 0, 1], 1).into(), &busy);
        let conversation = async move { converse(server, service, pin!(pending()), busy).await };
        (client, tokio::spawn(conversation))
    }

    fn large() -> Router {
        Router::new().route("/", get(async || "x".repeat(LARGE)))
    }

    fn page() -> Router {
        Router::new().route("/", get(async || "a page"))
    }

    /// What comes until it ends like that.
    async fn read_until(client: &mut DuplexStream, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            read.push(client.read_u8().await.unwrap());
        }
        String::from_utf8(read).unwrap()
    }

    async fn read_to_the_end(client: &mut DuplexStream) -> String {
        let mut read = String::new();
        client.read_to_string(&mut read).await.unwrap();
        read
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_read_slowly_arrives_whole() {
        for is_last in [false, true] {
            let (mut client, talk) = connect(front(large()), is_last);
            let began = Instant::now();
            client.write_all(ASKED).await.unwrap();
            let head = read_until(&mut client, "\r\n\r\n").await;
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            assert_eq!(head.contains("connection: close"), is_last, "{head}");
            let mut piece = [0; HELD];
            for _ in 0..LARGE / HELD {
                sleep(Duration::from_secs(1)).await;
                client.read_exact(&mut piece).await.unwrap();
                assert_eq!(piece, [b'x'; HELD]);
            }
            assert!(began.elapsed() > HEAD_TIMEOUT);
            if !is_last {
                client.write_all(ASKED).await.unwrap();
                assert!(read_until(&mut client, "\r\n\r\n").await.starts_with("HTTP/1.1 200"));
                drop(client);
            }
            talk.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_of_an_answer_is_not_waited_for() {
        let (mut client, talk) = connect(front(large()), false);
        let began = Instant::now();
        client.write_all(ASKED).await.unwrap();
        talk.await.unwrap();
        assert_eq!(began.elapsed(), HEAD_TIMEOUT);
        assert_eq!(read_to_the_end(&mut client).await.len(), HELD);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_head_that_stops_is_not_waited_for() {
        let (mut client, talk) = connect(front(page()), false);
        let began = Instant::now();
        sleep(HEAD_TIMEOUT / 2).await;
        client.write_all(&ASKED[..ASKED.len() / 2]).await.unwrap();
        talk.await.unwrap();
        assert_eq!(began.elapsed(), HEAD_TIMEOUT);
        assert_eq!(read_to_the_end(&mut client).await, "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_head_that_stops_is_not_waited_for() {
        let (mut client, talk) = connect(front(page()), false);
        sleep(HEAD_TIMEOUT / 2).await;
        client.write_all(ASKED).await.unwrap();
        read_until(&mut client, "a page").await;
        let answered = Instant::now();
        sleep(HEAD_TIMEOUT / 2).await;
        client.write_all(&ASKED[..ASKED.len() / 2]).await.unwrap();
        talk.await.unwrap();
        assert_eq!(answered.elapsed(), HEAD_TIMEOUT);
        assert_eq!(read_to_the_end(&mut client).await, "");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_at_its_end_is_left_alone() {
        let streamed = async || {
            let later = stream::once(async {
                sleep(HEAD_TIMEOUT * 3).await;
                Ok::<_, BoxError>(Bytes::from("later"))
            });
            Body::from_stream(stream::iter([Ok(Bytes::from("at once"))]).chain(later))
        };
        let routes = Router::new().route("/", get(streamed));
        let (mut client, _talk) = connect(front(routes), false);
        client.write_all(ASKED).await.unwrap();
        read_until(&mut client, "at once\r\n").await;
        read_until(&mut client, "later\r\n0\r\n\r\n").await;
    }

    /// The one who reads a body is less patient than the connection, and says what was wrong.
    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_is_told_so() {
        let own = |text: &str| Some(text.to_owned());
        let raw = RawSettings { auth_mode: own("none"), ..RawSettings::default() };
        let settings = Settings::from_raw(&raw, Role::McpServer).unwrap();
        let instance = InstanceId::random("test", &SystemRandom);
        let metrics = Arc::new(Metrics::new(&instance));
        let app = App::start(&settings, &instance, metrics, &Lines::default()).await.unwrap();
        let (mut client, _talk) = connect(app.front(), false);
        let half = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Accept: application/json, text/event-stream\r\nContent-Length: 100\r\n\r\n\
            {\"jsonrpc\": \"2.0\",";
        client.write_all(half.as_bytes()).await.unwrap();
        let answer = read_to_the_end(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}
