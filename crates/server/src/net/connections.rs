//! Accepting connections, and letting them go.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::service::service_fn;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Addresses, Room, Tls,
    busy::Busy,
    converse::{answers, broke_off, converse, refuse_in_clear},
    tls::Begun,
    written::Written,
};
use crate::{http::Front, metrics::Net};

/// What is said to one more connection from an address that has as many as it may.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";
/// How long accepting rests when the process can take no more, say for want of descriptors.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a connection must have had nothing to answer before it is closed: a client that was
/// just answered, or just connected, may have its next request on the way.
const QUIET: Duration = Duration::from_millis(250);

/// The connections of all listeners.
#[derive(Clone)]
pub(crate) struct Connections {
    front: Front,
    room: Room,
    addresses: Addresses,
    /// `None`: plain HTTP.
    tls: Option<Tls>,
    counted: Net,
    open: TaskTracker,
    leaving: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Connections {
    pub(crate) fn new(
        front: Front,
        addresses: Addresses,
        room: Room,
        tls: Option<Tls>,
        counted: Net,
    ) -> Self {
        Self {
            front,
            room,
            addresses,
            tls,
            counted,
            open: TaskTracker::new(),
            leaving: Arc::default(),
            stop: CancellationToken::new(),
        }
    }

    /// From now on every answer is the last of its connection and says so (RFC 9112 section 9.6).
    /// Whoever sends one request after the other moves elsewhere before anything is closed: what
    /// is sent into a connection while that closes fails, and may not be tried again.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// No more connections are taken, and those there are end when nothing comes on them.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Takes the connections of a listener from now on.
    pub(crate) fn listen(&self, listener: TcpListener) {
        // Counted among what is open: until it has ended, there may be one more that is to be answered.
        self.open.spawn(self.clone().accept(listener));
    }

    async fn accept(self, listener: TcpListener) {
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
        self.stop.run_until_cancelled(accept).await;
        if let Err(error) = self.take_the_rest(listener) {
            tracing::debug!(event = "server.accept_failed", %error, "some come too late");
        }
    }

    /// Takes the connections that the system made in our name: it would reset them with the
    /// listener.
    fn take_the_rest(&self, listener: TcpListener) -> io::Result<()> {
        let listener = listener.into_std()?;
        while let Ok(room) = Arc::clone(&self.room.places).try_acquire_owned() {
            let (connection, peer) = match listener.accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                taken => taken?,
            };
            connection.set_nonblocking(true)?;
            self.serve(room, TcpStream::from_std(connection)?, peer);
        }
        Ok(())
    }

    async fn next(
        &self,
        listener: &TcpListener,
    ) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let places = Arc::clone(&self.room.places);
        let room = places.acquire_owned().await.map_err(io::Error::other)?;
        let (connection, peer) = listener.accept().await?;
        Ok((room, connection, peer))
    }

    fn serve(&self, room: OwnedSemaphorePermit, connection: TcpStream, peer: SocketAddr) {
        let Some(place) = self.addresses.place(peer.ip()) else {
            self.counted.refused();
            // Whether it reaches the client is not waited for. One that waits for a handshake would not
            // understand it.
            if self.tls.is_none() {
                let _ = connection.try_write(TOO_MANY);
            }
            return;
        };
        // Small events must not wait for more to come (Nagle).
        let _ = connection.set_nodelay(true);
        let Self { front, tls, leaving, stop, .. } = self.clone();
        // Looked at whenever something comes, and that of all connections is one lock.
        let stop = stop.child_token();
        let (busy, open) = (Busy::new(leaving), self.counted.opened());
        let service = answers(front, peer, &busy);
        let connection = Written::new(connection, busy.clone());
        let idle = busy.clone();
        let mut over = Box::pin(async move {
            stop.cancelled().await;
            busy.quiet(QUIET).await;
        });
        // Named where a task ends, which has it from its beginning and however it ends.
        let held = (room, place, open);
        let Some(tls) = tls else {
            // A task of its own kind: it has no room for a handshake.
            self.open.spawn(async move {
                converse(connection, service, over.as_mut(), idle).await;
                drop(held);
            });
            return;
        };
        self.open.spawn(async move {
            let begun = tokio::select! {
                begun = Box::pin(tls.begin(connection)) => begun,
                () = over.as_mut() => return,
            };
            let over = over.as_mut();
            match begun {
                Ok(Begun::Encrypted(connection)) => {
                    converse(connection, service, over, idle).await;
                }
                Ok(Begun::Plain(connection)) => {
                    converse(connection, service_fn(refuse_in_clear), over, idle).await;
                }
                Err(error) => broke_off(&error),
            }
            drop(held);
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

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{Ipv4Addr, TcpStream},
    };

    use axum::Router;
    use mcp_everything_store::{InstanceId, SystemRandom};

    use super::*;
    use crate::{
        http::Proxies,
        metrics::Metrics,
        net::converse::{HEAD_TIMEOUT, tests::front},
    };

    /// A server that has no page.
    fn connections() -> Connections {
        let metrics = Metrics::new(&InstanceId::random("test", &SystemRandom));
        let addresses = Addresses::new(None, Proxies::default());
        Connections::new(front(Router::new()), addresses, Room::make(), None, metrics.net.clone())
    }

    #[tokio::test]
    async fn who_connected_before_the_end_is_answered() {
        let connections = connections();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(HEAD_TIMEOUT / 2)).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        connections.listen(listener);
        connections.leave();
        connections.stop();
        connections.gone().await;
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer:?}");
    }
}
