//! Which sessions are watched, by whom.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use mcp_everything_store::{InstanceId, OwnerMark, SessionId};
use tokio::{sync::broadcast, time::Instant};

use super::{LOOKS_FOR, step::Step};

/// How many sessions may be watched at a time. More are not.
const SESSIONS: usize = 64;
/// At how many instances one may be.
const INSTANCES: usize = 16;
/// How many batches of steps wait for one who watches, until some are skipped.
const WAITING: usize = 64;

/// The sessions that are watched, here and elsewhere.
#[derive(Default)]
pub(super) struct Watches {
    /// How many there are: most of the time none, and then nothing is asked.
    count: AtomicUsize,
    sessions: Mutex<HashMap<SessionId, Watched>>,
}

struct Watched {
    owner: OwnerMark,
    /// Where it is watched, until when, and whether by somebody who may see contents.
    at: HashMap<InstanceId, (Instant, bool)>,
    /// For those who watch it here.
    here: broadcast::Sender<Arc<Vec<Step>>>,
}

/// Where steps go, and with their contents or without.
pub(super) type Places = Vec<(InstanceId, bool)>;

impl Watches {
    /// Whether anything is watched.
    pub(super) fn are_any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Somebody watches it from now on, for a while.
    pub(super) fn add(&self, session: SessionId, at: InstanceId, owner: OwnerMark, contents: bool) {
        let mut sessions = self.sessions();
        let now = Instant::now();
        sessions.retain(|_, watched| watched.is_wanted(now));
        if sessions.len() < SESSIONS || sessions.contains_key(&session) {
            let watched = sessions.entry(session).or_insert_with(|| Watched::new(owner));
            let others = watched.at.len();
            if others < INSTANCES || watched.at.contains_key(&at) {
                // Of two who watch it there, one may see more.
                let kept = watched.at.get(&at).filter(|(until, _)| *until > now);
                let contents = contents || kept.is_some_and(|(_, contents)| *contents);
                watched.at.insert(at, (now + LOOKS_FOR, contents));
            }
        }
        self.count.store(sessions.len(), Ordering::Relaxed);
    }

    /// Whether a session is watched, and whose it is.
    pub(super) fn owner(&self, session: SessionId) -> Option<OwnerMark> {
        if !self.are_any() {
            return None;
        }
        let sessions = self.sessions();
        let watched = sessions.get(&session)?;
        watched.is_wanted(Instant::now()).then_some(watched.owner)
    }

    /// Where what is done for a session is told.
    pub(super) fn places(&self, session: SessionId) -> Places {
        let now = Instant::now();
        let sessions = self.sessions();
        let watched = sessions.get(&session).into_iter();
        let places = watched.flat_map(|watched| &watched.at).filter(|(_, (until, _))| *until > now);
        places.map(|(instance, (_, contents))| (instance.clone(), *contents)).collect()
    }

    /// Tells those who watch it here.
    pub(super) fn tell(&self, session: SessionId, steps: Vec<Step>) {
        if let Some(watched) = self.sessions().get(&session) {
            // Nobody may be left.
            let _ = watched.here.send(Arc::new(steps));
        }
    }

    /// What is told here of a session that is watched.
    pub(super) fn steps(&self, session: SessionId) -> Option<broadcast::Receiver<Arc<Vec<Step>>>> {
        self.sessions().get(&session).map(|watched| watched.here.subscribe())
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<SessionId, Watched>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn new(owner: OwnerMark) -> Self {
        Self { owner, at: HashMap::new(), here: broadcast::Sender::new(WAITING) }
    }

    fn is_wanted(&self, now: Instant) -> bool {
        self.at.values().any(|(until, _)| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::{Owner, TestRandom};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_is_watched_for_a_while_and_so_many_are() {
        let random = TestRandom::seeded(1);
        let (watches, owner) = (Watches::default(), OwnerMark::from(&Owner::anonymous()));
        let session = SessionId::random(&random);
        let [one, two] = ["one", "two"].map(|name| InstanceId::random(name, &random));
        assert!(!watches.are_any() && watches.owner(session).is_none());
        watches.add(session, one.clone(), owner, true);
        watches.add(session, one.clone(), owner, false);
        tokio::time::advance(LOOKS_FOR / 2).await;
        watches.add(session, two.clone(), owner, false);
        let mut places = watches.places(session);
        places.sort();
        assert_eq!(places, [(one, true), (two.clone(), false)]);
        tokio::time::advance(LOOKS_FOR / 2).await;
        assert_eq!(watches.places(session), [(two.clone(), false)]);
        assert_eq!(watches.owner(session), Some(owner));
        tokio::time::advance(LOOKS_FOR).await;
        assert_eq!(watches.owner(session), None);
        for _ in 0..2 * SESSIONS {
            watches.add(SessionId::random(&random), two.clone(), owner, false);
        }
        assert_eq!(watches.sessions().len(), SESSIONS);
    }
}
