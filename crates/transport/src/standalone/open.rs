//! The standalone streams that are open in this process.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use dashmap::DashMap;
use mcp_everything_store::{Attendance, Epoch, SessionId};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Streams of one session that may be open here besides the newest: a client that reconnects
/// leaves one behind, and one more may be a proxy's.
const SHADOWS: usize = 3;
/// Sendings that may wait for a stream which are made now or never.
const NOW: usize = 16;

#[derive(Default)]
pub(crate) struct OpenStreams {
    /// The streams of each session, the oldest first.
    sessions: DashMap<SessionId, Vec<Arc<OpenStream>>>,
}

pub(super) struct OpenStream {
    epoch: Mutex<Option<Epoch>>,
    bell: Notify,
    now: mpsc::Sender<Vec<Bytes>>,
    end: CancellationToken,
    _attendance: Attendance,
}

impl OpenStream {
    /// The epoch under which it holds the session's log; `None` for a shadow.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(&self, epoch: Epoch) {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = Some(epoch);
    }

    pub(super) fn give_up(&self) {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_cancelled()
    }

    pub(super) async fn ended(&self) {
        self.end.cancelled().await;
    }
}

/// The newest of the epochs under which streams of one session hold its log.
fn newest_epoch(streams: &[Arc<OpenStream>]) -> Option<Epoch> {
    streams.iter().filter_map(|stream| stream.epoch()).max()
}

impl OpenStreams {
    pub(super) fn register(
        &self,
        session: SessionId,
        attendance: Attendance,
    ) -> (Arc<OpenStream>, mpsc::Receiver<Vec<Bytes>>) {
        let (now, receiver) = mpsc::channel(NOW);
        let open = Arc::new(OpenStream {
            epoch: Mutex::new(None),
            bell: Notify::new(),
            now,
            end: CancellationToken::new(),
            _attendance: attendance,
        });
        let mut streams = self.sessions.entry(session).or_default();
        streams.push(Arc::clone(&open));
        let too_many = streams.len().saturating_sub(SHADOWS + 1);
        for stream in &streams[..too_many] {
            stream.end.cancel();
        }
        (open, receiver)
    }

    pub(super) fn remove(&self, session: SessionId, stream: &Arc<OpenStream>) {
        if let Some(mut streams) = self.sessions.get_mut(&session) {
            streams.retain(|open| !Arc::ptr_eq(open, stream));
        }
        self.sessions.remove_if(&session, |_, streams| streams.is_empty());
    }

    /// Says that a session's log has more, or another holder.
    pub(crate) fn ring(&self, session: SessionId) {
        if let Some(streams) = self.sessions.get(&session) {
            streams.iter().for_each(|stream| stream.ring());
        }
    }

    /// The sessions with a stream here.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.sessions.iter().map(|streams| *streams.key()).collect()
    }

    /// The streams here that hold the log of their session, or did when they last looked.
    pub(crate) fn holding(&self) -> Vec<(SessionId, Epoch)> {
        let held = self
            .sessions
            .iter()
            .filter_map(|streams| Some((*streams.key(), newest_epoch(&streams)?)));
        held.collect()
    }

    /// Those of them that are of these sessions.
    pub(crate) fn holding_of(&self, sessions: &[SessionId]) -> Vec<(SessionId, Epoch)> {
        let held = sessions
            .iter()
            .filter_map(|session| Some((*session, newest_epoch(&self.sessions.get(session)?)?)));
        held.collect()
    }

    pub(crate) fn send_now(&self, session: SessionId, messages: Vec<Bytes>) {
        if let Some(streams) = self.sessions.get(&session)
            && let Some(holder) = streams.iter().max_by_key(|stream| stream.epoch())
            && holder.epoch().is_some()
        {
            // A reader too slow for what comes again anyway goes without.
            let _ = holder.now.try_send(messages);
        }
    }

    /// Ends the streams of a session that is gone.
    pub(crate) fn end(&self, session: SessionId) {
        if let Some(streams) = self.sessions.get(&session) {
            streams.iter().for_each(|stream| stream.end.cancel());
        }
    }
}
