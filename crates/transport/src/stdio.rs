//! MCP over standard input and output: one client, a message a line.
//!
//! Both wires share the connection. `initialize` begins the one session that it can have; a request
//! that carries its version and capabilities in `_meta` is served for itself, before and after that
//! (2026-07-28, Versioning). rmcp runs the handlers; what is read and what is written is decided
//! here, with the same messages to wrong requests as over HTTP.

mod batches;
mod intake;
mod lines;
mod service;
mod transport;
mod writer;

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mcp_everything_store::Random;
use rmcp::{
    Peer, RoleServer, ServerHandler,
    model::{ServerJsonRpcMessage, ServerNotification},
    service::{RunningService, serve_directly_with_ct},
    transport::TransportAdapterIdentity,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use self::{batches::Underway, service::Connected, transport::LineTransport, writer::Writer};
use crate::{Untyped, guard::Guarded};

/// How many lines may wait to be served.
const READ_AHEAD: usize = 4;
/// How long what was said last may take to be written.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What an embedder may set of a connection over standard streams.
#[derive(Clone, Debug)]
pub struct StdioConfig {
    /// The longest line that is read, in bytes. 4 MiB.
    pub max_line_bytes: usize,
    /// The most messages of a 2025-03-26 batch. 50.
    pub max_batch: usize,
    /// The most requests that are served at a time; one more is refused. 1,000.
    pub max_running: usize,
    /// How long a cancelled handler may take to notice before it is dropped. 5 s.
    pub cancel_grace: Duration,
    /// How long running requests may take once the client leaves. 1 s: clients wait about two
    /// before they send SIGTERM.
    pub patience: Duration,
    /// Which requests are handed over as they came. None by itself.
    pub untyped: Untyped,
}

impl Default for StdioConfig {
    fn default() -> Self {
        Self {
            max_line_bytes: 4 << 20,
            max_batch: 50,
            max_running: 1_000,
            cancel_grace: Duration::from_secs(5),
            patience: Duration::from_secs(1),
            untyped: |_, _, _| false,
        }
    }
}

/// A connection over a pair of byte streams, as a process has in its standard input and output.
///
/// It ends when the input does, when the output is closed, or when the token that it is started
/// with is cancelled: then running requests may finish for a while, and what still runs is told that
/// it was cut short.
pub struct Stdio<H: ServerHandler> {
    session: StdioSession,
    writing: JoinHandle<()>,
    patience: Duration,
    _service: RunningService<RoleServer, Connected<Guarded<H>>>,
}

impl<H: ServerHandler> Stdio<H> {
    /// Serves the client at the other end. `handler` answers all requests of both wires, and knows
    /// the one session: in its context are its `Handshake` and its [`StdioSession`]. That its client
    /// has cancelled a request it hears by the token of the request, and not as a notification.
    /// `random` names the spans of traces. `leaving` is cancelled when the client leaves, and makes
    /// the server leave when somebody else cancels it.
    pub fn start<R, W>(
        handler: H,
        input: R,
        output: W,
        config: StdioConfig,
        random: Arc<dyn Random>,
        leaving: CancellationToken,
    ) -> Self
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (lines_in, lines) = mpsc::channel(READ_AHEAD);
        tokio::spawn(lines::read(input, config.max_line_bytes, lines_in));
        let deaf = CancellationToken::new();
        let (writer, writing) = Writer::start(output, deaf.clone());
        let ready = Arc::new(AtomicBool::new(false));
        let patience = config.patience;
        let abort = CancellationToken::new();
        let service = Connected {
            // There is nobody who could look.
            inner: Guarded::new(handler, Arc::new(())),
            grace: config.cancel_grace,
            handshake: OnceLock::new(),
            ready: Arc::clone(&ready),
            leaving: leaving.clone(),
        };
        let transport = LineTransport {
            config,
            random,
            lines,
            writer,
            underway: Underway::default(),
            session: transport::Session::None,
            ready: Arc::clone(&ready),
            read: VecDeque::new(),
            leaving: leaving.clone(),
            left: None,
            deaf,
            abort: abort.clone(),
        };
        let service = serve_directly_with_ct::<RoleServer, _, _, _, TransportAdapterIdentity>(
            service, transport, None, abort,
        );
        let session = StdioSession { peer: service.peer().clone(), ready, leaving };
        Self { session, writing, patience, _service: service }
    }

    /// The session that its client may begin.
    pub fn session(&self) -> StdioSession {
        self.session.clone()
    }

    /// Returns when everything is over and said; at most 1 s after the patience of its
    /// configuration ends.
    pub async fn over(&mut self) {
        self.session.leaving.cancelled().await;
        // The writer ends by itself; this is for what none of the code here waits for.
        let _ = timeout(self.patience + 2 * LAST_WORDS, &mut self.writing).await;
    }
}

/// The session of a connection over standard streams, for what is said unasked.
#[derive(Clone, Debug)]
pub struct StdioSession {
    peer: Peer<RoleServer>,
    ready: Arc<AtomicBool>,
    leaving: CancellationToken,
}

impl StdioSession {
    /// Whether there is a session, and its client waits for what is said unasked: it has sent
    /// `notifications/initialized`.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) && !self.leaving.is_cancelled()
    }

    /// Says something unasked, if there is a session to say it in.
    pub async fn notify(&self, notification: ServerNotification) {
        if self.is_ready() {
            // A client that is gone need not be told.
            let _ = self.peer.send_notification(notification).await;
        }
    }
}

/// A message as it is written.
fn line(message: &ServerJsonRpcMessage) -> Vec<u8> {
    crate::scope::to_bytes(message).to_vec()
}
