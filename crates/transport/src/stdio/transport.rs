//! The rmcp transport of a connection.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, atomic::AtomicBool},
};

use mcp_everything_store::Random;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientJsonRpcMessage, GetMeta as _, JsonRpcMessage, ProtocolVersion, RequestId,
        ServerJsonRpcMessage, ServerNotification, ServerResult,
    },
    transport::Transport,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{StdioConfig, batches::Underway, line, lines::Line, writer::Writer};
use crate::{call::CUT_SHORT, wire::answered};

/// The key in `_meta` of what belongs to a task (2025-11-25, Tasks).
const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// The one session that a connection can have.
pub(super) enum Session {
    None,
    /// This `initialize` is under way. Until it is answered nothing more is read: what comes next
    /// may have been sent in the belief that it succeeds.
    Beginning(RequestId),
    Agreed(ProtocolVersion),
}

pub(super) struct LineTransport {
    pub(super) config: StdioConfig,
    pub(super) random: Arc<dyn Random>,
    pub(super) lines: mpsc::Receiver<Line>,
    pub(super) writer: Writer,
    pub(super) underway: Underway,
    pub(super) session: Session,
    /// Whether the client wants to hear what is said unasked.
    pub(super) ready: Arc<AtomicBool>,
    /// What was read and rmcp has not taken yet.
    pub(super) read: VecDeque<ClientJsonRpcMessage>,
    pub(super) leaving: CancellationToken,
    /// Once the client leaves: until when running requests may take.
    pub(super) left: Option<Instant>,
    /// The output is closed.
    pub(super) deaf: CancellationToken,
    /// Cancels every handler.
    pub(super) abort: CancellationToken,
}

impl Transport<RoleServer> for LineTransport {
    type Error = Infallible;

    /// rmcp calls this in the order in which the handlers spoke, but spawns the future: the order
    /// of lines is decided here, and the future only waits for room.
    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + 'static {
        let line = match &message {
            JsonRpcMessage::Response(response) => {
                let id = response.id.clone();
                self.settle(&id, Some(&response.result));
                self.underway.answer(&id, message)
            }
            JsonRpcMessage::Error(error) => {
                let id = error.id.clone();
                id.and_then(|id| {
                    self.settle(&id, None);
                    self.underway.answer(&id, message)
                })
            }
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                // Of a request that is over nothing more is said (2026-07-28, Progress), but of a
                // task that it has become (2025-11-25, Tasks).
                ServerNotification::ProgressNotification(progress)
                    if !self.underway.reports(&progress.params.progress_token)
                        && !notification.notification.get_meta().contains_key(RELATED_TASK) =>
                {
                    None
                }
                _ => Some(line(&message)),
            },
            JsonRpcMessage::Request(_) => Some(line(&message)),
        };
        let said = line.map(|line| self.writer.say(line));
        async move {
            if let Some(said) = said {
                said.await;
            }
            Ok(())
        }
    }

    /// rmcp drops the future whenever something else happens, and asks again.
    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(message) = self.read.pop_front() {
                return Some(message);
            }
            if let Some(until) = self.left {
                return self.see_off(until).await;
            }
            let listens = !matches!(self.session, Session::Beginning(_));
            // Whoever does not read is not read, either: what is refused has nobody else to wait.
            let room = self.writer.room();
            let next = async {
                room.await;
                self.lines.recv().await
            };
            tokio::select! {
                biased;
                () = self.deaf.cancelled() => self.leave(),
                () = self.leaving.cancelled() => self.leave(),
                line = next, if listens => match line {
                    Some(line) => self.take(line),
                    None => self.leave(),
                },
            }
        }
    }

    async fn close(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl LineTransport {
    fn settle(&mut self, id: &RequestId, result: Option<&ServerResult>) {
        if !matches!(&self.session, Session::Beginning(begun) if begun == id) {
            return;
        }
        self.session = result.and_then(answered).map_or(Session::None, Session::Agreed);
    }

    fn leave(&mut self) {
        self.leaving.cancel();
        self.left = Some(Instant::now() + self.config.patience);
    }

    /// Waits for what still runs, as long as somebody hears of it. Each answer makes rmcp ask
    /// again.
    async fn see_off(&mut self, until: Instant) -> Option<ClientJsonRpcMessage> {
        if !self.underway.awaited().is_empty() {
            tokio::select! {
                () = self.deaf.cancelled() => {}
                () = sleep_until(until) => self.cut_short(),
            }
        }
        self.writer.end();
        self.abort.cancel();
        None
    }

    /// Tells the client of each request that still runs that it will not be done.
    fn cut_short(&mut self) {
        let awaited = self.underway.awaited();
        let left = awaited.len();
        tracing::info!(event = "shutdown.calls_cut", left, "calls were still running");
        for id in awaited {
            let error = ErrorData::internal_error(CUT_SHORT, None);
            let error = ServerJsonRpcMessage::error(error, Some(id.clone()));
            if let Some(line) = self.underway.answer(&id, error) {
                drop(self.writer.say(line));
            }
        }
    }
}
