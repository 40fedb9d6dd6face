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
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};
use tokio_util::sync::CancellationToken;

use super::log::Log;

/// In every answer: the number of the instance it came from, or that failed to give one.
pub(crate) const INSTANCE: &str = "x-instance";

/// A reverse proxy on a port and a thread of its own. It passes on what comes as it comes, Host
/// and Origin as they are. Where nothing was sent it tries the next instance; what was sent may
/// have been done, and is not sent again.
pub(crate) struct Balancer {
    port: u16,
    backends: Arc<Backends>,
    runtime: Option<Runtime>,
}

struct Backends {
    all: Vec<Arc<Backend>>,
    /// Whose turn it is at the MCP endpoints, and at all others. One turn for all would send each
    /// request of a test that takes turns itself to the same instance.
    turns: [AtomicUsize; 2],
    log: Arc<Log>,
}

struct Backend {
    number: usize,
    port: u16,
    connections: Mutex<Vec<SendRequest<Incoming>>>,
    cut: Mutex<CancellationToken>,
}

impl Balancer {
    /// Before the instances on these ports, which write to this log.
    pub(crate) fn start(instances: &[u16], log: Arc<Log>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let all = instances.iter().enumerate().map(|(number, port)| {
            let (connections, cut) = (Mutex::default(), Mutex::default());
            Arc::new(Backend { number, port: *port, connections, cut })
        });
        let backends = Arc::new(Backends { all: all.collect(), turns: Default::default(), log });
        runtime.spawn(accept(listener, Arc::clone(&backends)));
        Self { port, backends, runtime: Some(runtime) }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Breaks what runs through it to an instance.
    pub(crate) fn cut(&self, number: usize) {
        std::mem::take(&mut *self.backends.all[number].cut.lock().unwrap()).cancel();
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
    /// All of them, beginning with the one whose turn it is.
    fn in_turn(&self, is_mcp: bool) -> Vec<Arc<Backend>> {
        let turn = self.turns[usize::from(is_mcp)].fetch_add(1, Ordering::Relaxed);
        let mut all = self.all.clone();
        all.rotate_left(turn % self.all.len());
        all
    }

    async fn forward(&self, mut request: Request<Incoming>) -> Response<Body> {
        let is_mcp = super::is_mcp(request.uri().path());
        for backend in self.in_turn(is_mcp) {
            let cut = backend.cut.lock().unwrap().clone();
            let asked = || self.log.asks(backend.number, is_mcp);
            let sent = cut.run_until_cancelled(backend.send(request, asked)).await;
            let mut answer = match sent.unwrap_or(Err(Failed::Sent("it was cut".to_owned()))) {
                Ok(answer) => answer.map(|body| until(cut, body)),
                Err(Failed::NotSent(unsent)) => {
                    request = *unsent;
                    continue;
                }
                Err(Failed::Sent(reason)) => bad_gateway(reason),
            };
            answer.headers_mut().insert(INSTANCE, backend.number.into());
            return answer;
        }
        bad_gateway("nobody is there".to_owned())
    }
}

enum Failed {
    NotSent(Box<Request<Incoming>>),
    Sent(String),
}

impl Backend {
    async fn send(
        &self,
        mut request: Request<Incoming>,
        asked: impl Fn(),
    ) -> Result<Response<Incoming>, Failed> {
        loop {
            let idle = self.idle();
            let is_new = idle.is_none();
            let connected = match idle {
                Some(connection) => Ok(connection),
                None => self.connect().await,
            };
            let Ok(mut connection) = connected else {
                return Err(Failed::NotSent(Box::new(request)));
            };
            asked();
            match connection.try_send_request(request).await {
                Ok(answer) => {
                    self.connections.lock().unwrap().push(connection);
                    return Ok(answer);
                }
                Err(mut error) => match error.take_message() {
                    // It was closed while it was idle.
                    Some(unsent) if !is_new => request = unsent,
                    Some(unsent) => return Err(Failed::NotSent(Box::new(unsent))),
                    None => return Err(Failed::Sent(error.into_error().to_string())),
                },
            }
        }
    }

    /// A connection that has nothing to do.
    fn idle(&self) -> Option<SendRequest<Incoming>> {
        let mut connections = self.connections.lock().unwrap();
        connections.retain(|connection| !connection.is_closed());
        let ready = connections.iter().position(SendRequest::is_ready)?;
        Some(connections.swap_remove(ready))
    }

    async fn connect(&self) -> io::Result<SendRequest<Incoming>> {
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        connection.set_nodelay(true)?;
        let shaken = handshake(TokioIo::new(connection)).await;
        let (sender, connection) = shaken.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(sender)
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
            async move { Ok::<_, io::Error>(backends.forward(request).await) }
        });
        // How a connection ends is the client's business.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
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

fn bad_gateway(reason: String) -> Response<Body> {
    let mut answer = Response::new(Body::from(reason));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}
