//! Accepting connections, and letting them go.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// How long the head of a request may take to come, and a connection may be idle. Longer than
/// common clients keep one: where both ends close at once a request fails.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Connections that may be open; more wait to be accepted.
const MOST: usize = 10_000;
/// How long accepting rests when the process can take no more, say for want of descriptors.
const PAUSE: Duration = Duration::from_millis(250);

/// The connections of all listeners, until `stop`: then no more are accepted, and each ends with
/// the request it is at.
#[derive(Clone)]
pub(crate) struct Connections {
    router: Router,
    room: Arc<Semaphore>,
    open: TaskTracker,
    stop: CancellationToken,
}

impl Connections {
    pub(crate) fn new(router: Router, stop: CancellationToken) -> Self {
        let room = Arc::new(Semaphore::new(MOST));
        Self { router, room, open: TaskTracker::new(), stop }
    }

    /// Takes the connections of a listener.
    pub(crate) async fn accept(self, listener: TcpListener) {
        let stop = self.stop.clone();
        let accept = async {
            loop {
                match self.next(&listener).await {
                    Ok((room, connection, peer)) => self.serve(room, connection, peer),
                    Err(error) if is_the_clients(&error) => {}
                    Err(error) => {
                        tracing::warn!(event = "server.accept_failed", %error,
                            "a connection could not be taken");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        };
        stop.run_until_cancelled(accept).await;
    }

    async fn next(
        &self,
        listener: &TcpListener,
    ) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(io::Error::other)?;
        let (connection, peer) = listener.accept().await?;
        Ok((room, connection, peer))
    }

    fn serve(&self, room: OwnedSemaphorePermit, connection: TcpStream, peer: SocketAddr) {
        // Small events must not wait for more to come (Nagle).
        let _ = connection.set_nodelay(true);
        let (router, stop) = (self.router.clone(), self.stop.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(Body::new))
        });
        self.open.spawn(async move {
            let _room = room;
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(connection), service);
            let mut served = pin!(served);
            let ended = tokio::select! {
                ended = served.as_mut() => ended,
                () = stop.cancelled() => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            };
            // How a connection ends is its client's business.
            if let Err(error) = ended {
                tracing::debug!(event = "http.connection_failed", %error, "a connection broke off");
            }
        });
    }

    /// Waits until all have ended.
    pub(crate) async fn gone(&self) {
        self.open.close();
        self.open.wait().await;
    }
}

/// Whether it was the connection that failed, and not the accepting.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
