//! What is written, in the order in which it was said.

use std::io;

use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _, BufWriter},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::sleep,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::LAST_WORDS;

/// How many lines may wait to be written before whoever says more has to.
const ROOM: usize = 64;

/// The way out.
pub(super) struct Writer {
    open: Option<Open>,
    /// How many lines wait.
    waiting: watch::Sender<usize>,
}

struct Open {
    lines: mpsc::UnboundedSender<Vec<u8>>,
    /// From then on what is not written yet has [`LAST_WORDS`].
    _ends: DropGuard,
}

impl Writer {
    /// Writes until [`Self::end`], or until the output is closed. `deaf` is told of both.
    pub(super) fn start(
        output: impl AsyncWrite + Send + Unpin + 'static,
        deaf: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (sender, lines) = mpsc::unbounded_channel();
        let waiting = watch::Sender::new(0);
        let ended = CancellationToken::new();
        let open = Open { lines: sender, _ends: ended.clone().drop_guard() };
        let writer = Self { open: Some(open), waiting: waiting.clone() };
        let task = tokio::spawn(async move {
            let too_late = async {
                ended.cancelled().await;
                sleep(LAST_WORDS).await;
            };
            tokio::select! {
                written = write(output, lines, &waiting) => {
                    if let Err(error) = written {
                        tracing::info!(event = "stdio.closed", %error, "nobody reads the output");
                    }
                }
                () = too_late => {
                    tracing::info!(event = "stdio.unread", "the client did not read to the end");
                }
            }
            // Whoever waits for room goes on.
            waiting.send_replace(0);
            deaf.cancel();
        });
        (writer, task)
    }

    /// Says a line. The future waits until there is room for another one.
    pub(super) fn say(&self, line: Vec<u8>) -> impl Future<Output = ()> + Send + 'static {
        self.waiting.send_modify(|waiting| *waiting += 1);
        let open = self.open.as_ref();
        if open.is_none_or(|open| open.lines.send(line).is_err()) {
            // Nobody is left to take it.
            self.waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
        }
        self.room()
    }

    /// Waits until there is room for another line.
    pub(super) fn room(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut waiting = self.waiting.subscribe();
        async move {
            // Without a writer there is no end of room.
            let _ = waiting.wait_for(|waiting| *waiting < ROOM).await;
        }
    }

    /// Nothing more is said.
    pub(super) fn end(&mut self) {
        self.open = None;
    }
}

async fn write(
    output: impl AsyncWrite + Unpin,
    mut lines: mpsc::UnboundedReceiver<Vec<u8>>,
    waiting: &watch::Sender<usize>,
) -> io::Result<()> {
    let mut output = BufWriter::new(output);
    while let Some(mut line) = lines.recv().await {
        line.push(b'\n');
        output.write_all(&line).await?;
        if lines.is_empty() {
            output.flush().await?;
        }
        waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }
    output.flush().await
}
