//! What rings for one instance, until it is heard.

use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::mpsc;

use super::{Bell, MAX_CARRIED};
use crate::spans::Place;

/// How many different bells may wait. Past that, [`Bell::Missed`] stands for those that found no
/// room.
const WAITING: usize = 4096;
/// How many bells may wait for one that carries something to be taken along.
const WAITING_TO_CARRY: usize = 256;

#[derive(Debug, Default)]
struct Waiting {
    bells: Mutex<HashSet<Bell>>,
    missed: AtomicBool,
}

impl Waiting {
    fn bells(&self) -> MutexGuard<'_, HashSet<Bell>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears each bell as it is heard.
type Overhears = Box<dyn Fn(&Bell) + Send + Sync>;

/// The bells that ring for one instance. A bell that waits already rings once.
pub struct Bells {
    receiver: mpsc::Receiver<Rung>,
    waiting: Arc<Waiting>,
    overhears: Option<Overhears>,
    rung_at: Option<Place>,
}

impl fmt::Debug for Bells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bells").finish_non_exhaustive()
    }
}

/// A bell that rang, and where in a trace.
#[derive(Debug)]
struct Rung {
    bell: Bell,
    at: Option<Place>,
}

/// Rings for one instance. It never waits for whoever listens, and what it keeps is bounded.
#[derive(Clone, Debug)]
pub struct Ringer {
    sender: mpsc::Sender<Rung>,
    waiting: Arc<Waiting>,
}

impl Bells {
    /// Bells, and what rings them.
    pub fn new() -> (Ringer, Self) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let waiting = Arc::new(Waiting::default());
        let ringer = Ringer { sender, waiting: Arc::clone(&waiting) };
        (ringer, Self { receiver, waiting, overhears: None, rung_at: None })
    }

    /// Lets somebody else hear each bell too, as it is heard. It must not wait.
    #[must_use]
    pub fn overheard(mut self, overhears: impl Fn(&Bell) + Send + Sync + 'static) -> Self {
        self.overhears = Some(Box::new(overhears));
        self
    }

    /// The next bell; `None` when nobody can ring any more. Nothing is lost if the future is
    /// dropped.
    pub async fn recv(&mut self) -> Option<Bell> {
        if self.waiting.missed.swap(false, Ordering::SeqCst) {
            self.rung_at = None;
            return Some(Bell::Missed);
        }
        let Rung { bell, at } = self.receiver.recv().await?;
        self.rung_at = at;
        // It may ring again from here on: whoever heard it looks only now.
        self.waiting.bells().remove(&bell);
        if let Some(overhears) = &self.overhears {
            overhears(&bell);
        }
        Some(bell)
    }

    /// Where in a trace the last bell was rung that was heard, at this instance or another; by
    /// whoever rang first, if several did before it was heard. `None` outside of any that is
    /// exported.
    pub fn rung_at(&self) -> Option<&Place> {
        self.rung_at.as_ref()
    }
}

impl Ringer {
    /// Rings. `false` if nobody listens any more.
    pub fn ring(&self, bell: Bell) -> bool {
        self.ring_at(None, bell)
    }

    /// The same, at a place in a trace.
    pub fn ring_at(&self, at: Option<Place>, bell: Bell) -> bool {
        let mut waiting = self.waiting.bells();
        if let Some(data) = bell.carried()
            && (waiting.len() >= WAITING_TO_CARRY || data.len() > MAX_CARRIED)
        {
            return !self.is_closed();
        }
        if !waiting.insert(bell.clone()) {
            return !self.is_closed();
        }
        match self.sender.try_send(Rung { bell, at }) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(rung)) => {
                waiting.remove(&rung.bell);
                self.waiting.missed.store(true, Ordering::SeqCst);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// Whether nobody listens any more.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Returns when nobody listens any more.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{CallId, SessionId, TestRandom};

    fn different(count: usize) -> Vec<Bell> {
        let random = TestRandom::seeded(1);
        (0..count).map(|_| Bell::Ended(SessionId::random(&random))).collect()
    }

    #[tokio::test]
    async fn what_waits_already_rings_once_and_what_was_heard_rings_again() {
        let (ringer, mut bells) = Bells::new();
        let [one, two] = &different(2)[..] else { unreachable!() };
        for bell in [one, two, one, one, two] {
            assert!(ringer.ring(bell.clone()));
        }
        assert_eq!(bells.recv().await.as_ref(), Some(one));
        assert!(ringer.ring(one.clone()));
        for bell in [two, one] {
            assert_eq!(bells.recv().await.as_ref(), Some(bell));
        }
        drop(ringer);
        assert_eq!(bells.recv().await, None);
    }

    #[tokio::test]
    async fn a_flood_is_bounded_and_said_to_have_been_one() {
        let (ringer, mut bells) = Bells::new();
        for bell in different(WAITING + 10) {
            assert!(ringer.ring(bell));
        }
        assert_eq!(bells.recv().await, Some(Bell::Missed));
        drop(ringer);
        let mut rest = 0;
        while let Some(bell) = bells.recv().await {
            assert_ne!(bell, Bell::Missed, "it is said once");
            rest += 1;
        }
        assert_eq!(rest, WAITING);
    }

    #[tokio::test]
    async fn progress_goes_without_where_there_is_no_room() {
        let (ringer, mut bells) = Bells::new();
        let random = TestRandom::seeded(2);
        let (session, call) = (SessionId::random(&random), CallId::random(&random));
        let progress = |data: Vec<u8>| Bell::Progressed(session, call, Bytes::from(data));
        assert!(ringer.ring(progress(vec![0; MAX_CARRIED + 1])));
        for number in 0..2 * WAITING_TO_CARRY {
            assert!(ringer.ring(progress(number.to_be_bytes().to_vec())));
        }
        drop(ringer);
        let mut heard = 0;
        while let Some(bell) = bells.recv().await {
            assert_eq!(bell, progress(usize::to_be_bytes(heard).to_vec()));
            heard += 1;
        }
        assert_eq!(heard, WAITING_TO_CARRY);
    }

    #[tokio::test]
    async fn each_bell_is_overheard_once() {
        let (ringer, bells) = Bells::new();
        let (heard, mut overheard) = mpsc::unbounded_channel();
        let mut bells = bells.overheard(move |bell| drop(heard.send(bell.clone())));
        assert!(ringer.ring(Bell::Looked));
        assert!(overheard.try_recv().is_err(), "nobody has heard it yet");
        assert_eq!(bells.recv().await, Some(Bell::Looked));
        assert_eq!(overheard.recv().await, Some(Bell::Looked));
        assert!(overheard.try_recv().is_err());
    }

    #[tokio::test]
    async fn whoever_rings_is_told_that_nobody_listens() {
        let (ringer, bells) = Bells::new();
        drop(bells);
        ringer.closed().await;
        assert!(ringer.is_closed());
        assert!(!ringer.ring(Bell::Missed));
    }
}
