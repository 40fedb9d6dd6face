//! A balancer that forgets its clients: every request goes to the next instance.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::body::Body;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, client, server, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};
use tokio_util::sync::CancellationToken;

/// A reverse proxy on a port and a thread of its own. It passes on what comes as it comes, Host
/// and Origin as they are.
pub(crate) struct Balancer {
    port: u16,
    backends: Arc<Backends>,
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct Backends {
    all: Mutex<Vec<Backend>>,
    /// Whose turn it is at the MCP endpoints, and at all others. One turn for all would send each
    /// request of a test that takes turns itself to the same instance.
    turns: [AtomicUsize; 2],
}

struct Backend {
    port: u16,
    is_skipped: bool,
    cut: CancellationToken,
}

impl Balancer {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let backends = Arc::new(Backends::default());
        runtime.spawn(accept(listener, Arc::clone(&backends)));
        Self { port, backends, runtime: Some(runtime) }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// One more instance.
    pub(crate) fn add(&self, port: u16) {
        let backend = Backend { port, is_skipped: false, cut: CancellationToken::new() };
        self.backends.all.lock().unwrap().push(backend);
    }

    /// Sends no more requests to an instance.
    pub(crate) fn skip(&self, number: usize) {
        self.backends.all.lock().unwrap()[number].is_skipped = true;
    }

    /// Sends requests to it again.
    pub(crate) fn put_back(&self, number: usize) {
        self.backends.all.lock().unwrap()[number].is_skipped = false;
    }

    /// Breaks what runs through it to an instance.
    pub(crate) fn cut(&self, number: usize) {
        let backends = &mut self.backends.all.lock().unwrap();
        std::mem::take(&mut backends[number].cut).cancel();
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Backends {
    fn next(&self, path: &str) -> Option<(u16, CancellationToken)> {
        let all = self.all.lock().unwrap();
        let turn = &self.turns[usize::from(super::is_mcp(path))];
        (0..all.len()).find_map(|_| {
            let backend = &all[turn.fetch_add(1, Ordering::Relaxed) % all.len()];
            (!backend.is_skipped).then(|| (backend.port, backend.cut.clone()))
        })
    }

    async fn forward(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let (port, cut) = self.next(request.uri().path()).ok_or(io::ErrorKind::NotConnected)?;
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        connection.set_nodelay(true)?;
        let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(connection))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(connection);
        let answer = cut.run_until_cancelled(sender.send_request(request)).await;
        let answer = answer.ok_or(io::ErrorKind::ConnectionAborted)?.map_err(io::Error::other)?;
        Ok(answer.map(|body| until(cut, body)))
    }
}

async fn accept(listener: std::net::TcpListener, backends: Arc<Backends>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        connection.set_nodelay(true).unwrap();
        let backends = Arc::clone(&backends);
        let service = service_fn(move |request| {
            let backends = Arc::clone(&backends);
            async move {
                Ok::<_, io::Error>(backends.forward(request).await.unwrap_or_else(bad_gateway))
            }
        });
        // How a connection ends is the client's business.
        tokio::spawn(
            server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service),
        );
    }
}

/// The body, broken off when it is cut.
fn until(cut: CancellationToken, body: Incoming) -> Body {
    let broken = cut.clone();
    let broken = stream::once(async move { broken.is_cancelled() })
        .filter_map(async |broken| broken.then(|| Err(io::ErrorKind::ConnectionAborted.into())));
    let data = Body::new(body).into_data_stream().map_err(io::Error::other);
    Body::from_stream(data.take_until(cut.cancelled_owned()).chain(broken))
}

fn bad_gateway(error: io::Error) -> Response<Body> {
    let mut answer = Response::new(Body::from(error.to_string()));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}
