//! The standalone streams that are open in this process.

use std::{
    collections::HashSet,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use dashmap::DashMap;
use mcp_everything_store::{Attendance, Epoch, SessionId, User};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Streams of one session that may be open here besides the newest: a client that reconnects
/// leaves one behind, and one more may be a proxy's.
const SHADOWS: usize = 3;
/// Messages that may wait for a stream which are sent now or never.
const NOW: usize = 64;

#[derive(Default)]
pub(crate) struct OpenStreams {
    /// The streams of each session, the oldest first.
    sessions: DashMap<SessionId, Vec<Arc<OpenStream>>>,
}

pub(super) struct OpenStream {
    /// Whose session it is of.
    user: Arc<User>,
    epoch: Mutex<Option<Epoch>>,
    bell: Notify,
    now: Mutex<Vec<Bytes>>,
    has_now: Notify,
    /// Whether a switch of its session may be on.
    switched: AtomicBool,
    end: CancellationToken,
    _attendance: Attendance,
}

/// A stream that holds the log of its session, or did when it last looked.
pub(crate) struct Holding {
    pub(crate) session: SessionId,
    pub(crate) epoch: Epoch,
    /// Whose session it is.
    pub(crate) user: Arc<User>,
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

    /// Messages that are sent now or never, as soon as there are some.
    pub(super) async fn now(&self) -> Vec<Bytes> {
        self.has_now.notified().await;
        mem::take(&mut *self.waiting())
    }

    /// Sends messages, unless many wait already: a reader too slow for what comes again anyway goes
    /// without.
    fn send_now(&self, messages: Vec<Bytes>) {
        let mut waiting = self.waiting();
        if waiting.len() < NOW {
            waiting.extend(messages);
            self.has_now.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Bytes>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_cancelled()
    }

    pub(super) async fn ended(&self) {
        self.end.cancelled().await;
    }
}

/// Of the streams of one session, the newest that holds its log.
fn newest(session: SessionId, streams: &[Arc<OpenStream>]) -> Option<Holding> {
    let held = streams.iter().filter_map(|stream| Some((stream.epoch()?, &stream.user)));
    let (epoch, user) = held.max_by_key(|(epoch, _)| *epoch)?;
    Some(Holding { session, epoch, user: Arc::clone(user) })
}

impl OpenStreams {
    pub(super) fn register(
        &self,
        session: SessionId,
        user: Arc<User>,
        attendance: Attendance,
    ) -> Arc<OpenStream> {
        let open = Arc::new(OpenStream {
            user,
            epoch: Mutex::new(None),
            bell: Notify::new(),
            now: Mutex::default(),
            has_now: Notify::new(),
            switched: AtomicBool::new(true),
            end: CancellationToken::new(),
            _attendance: attendance,
        });
        let mut streams = self.sessions.entry(session).or_default();
        streams.push(Arc::clone(&open));
        let too_many = streams.len().saturating_sub(SHADOWS + 1);
        for stream in &streams[..too_many] {
            stream.end.cancel();
        }
        open
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

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.sessions.iter().map(|streams| streams.len()).sum()
    }

    /// The sessions with a stream here.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.sessions.iter().map(|streams| *streams.key()).collect()
    }

    /// The streams here that hold the log of their session, or did when they last looked.
    pub(crate) fn holding(&self) -> Vec<Holding> {
        self.sessions.iter().filter_map(|streams| newest(*streams.key(), &streams)).collect()
    }

    /// Those of them that are of these sessions.
    pub(crate) fn holding_of(&self, sessions: &[SessionId]) -> Vec<Holding> {
        let held = sessions.iter().filter_map(|id| newest(*id, &self.sessions.get(id)?));
        held.collect()
    }

    /// Those of them whose sessions may have a switch on. They count as having none until they are
    /// [said to](Self::switched).
    pub(crate) fn take_switched(&self) -> Vec<Holding> {
        let is_switched = |streams: &[Arc<OpenStream>]| {
            streams
                .iter()
                .fold(false, |any, open| open.switched.swap(false, Ordering::SeqCst) | any)
        };
        let switched = self.sessions.iter().filter(|streams| is_switched(streams));
        switched.filter_map(|streams| newest(*streams.key(), &streams)).collect()
    }

    /// Says that a switch of a session may be on.
    pub(crate) fn switched(&self, session: SessionId) {
        if let Some(streams) = self.sessions.get(&session) {
            streams.iter().for_each(|open| open.switched.store(true, Ordering::SeqCst));
        }
    }

    /// Says so of all of them.
    pub(crate) fn all_switched(&self) {
        for streams in &self.sessions {
            streams.iter().for_each(|open| open.switched.store(true, Ordering::SeqCst));
        }
    }

    /// Those of them that are of these users' sessions.
    pub(crate) fn holding_of_users(&self, users: &HashSet<&User>) -> Vec<Holding> {
        let is_theirs =
            |streams: &[Arc<OpenStream>]| streams.iter().any(|open| users.contains(&*open.user));
        let theirs = self.sessions.iter().filter(|streams| is_theirs(streams));
        theirs.filter_map(|streams| newest(*streams.key(), &streams)).collect()
    }

    pub(crate) fn send_now(&self, session: SessionId, messages: Vec<Bytes>) {
        if let Some(streams) = self.sessions.get(&session)
            && let Some(holder) = streams.iter().max_by_key(|stream| stream.epoch())
            && holder.epoch().is_some()
        {
            holder.send_now(messages);
        }
    }

    /// Ends the streams of a session that is gone.
    pub(crate) fn end(&self, session: SessionId) {
        if let Some(streams) = self.sessions.get(&session) {
            streams.iter().for_each(|stream| stream.end.cancel());
        }
    }
}
