//! Writes down what is done for a session that is watched, and tells whoever watches it.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use mcp_everything_store::{Bell, Bus, Clock, InstanceId, OwnerMark, Ring, SessionId};
use tokio::{
    sync::{Notify, broadcast},
    time::{Duration, sleep},
};

use super::{
    step::{Step, What},
    watches::Watches,
};

/// How long steps are gathered before they are told.
const GATHERED_FOR: Duration = Duration::from_millis(50);
/// How many may wait to be told. More are missed, and that is said.
const MOST: usize = 2_000;
/// How large what is told at a time may be, so that it travels with a bell.
const LARGEST: usize = 12 * 1024;

/// Writes down what is done for sessions that are watched.
pub(crate) struct Recorder {
    instance: InstanceId,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    watches: Watches,
    number: AtomicU64,
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    steps: Vec<(SessionId, Step)>,
    missed: usize,
}

/// A step that has no number and no time yet.
pub(super) struct Done {
    pub(super) of: String,
    pub(super) what: What,
    pub(super) name: String,
    pub(super) kind: Option<String>,
    pub(super) id: Option<String>,
    pub(super) bytes: Option<usize>,
    pub(super) proxied: bool,
    pub(super) contents: Option<String>,
}

impl Done {
    /// Something with a name and nothing else.
    pub(super) fn named(of: &str, what: What, name: impl Into<String>) -> Self {
        let (of, name) = (of.to_owned(), name.into());
        let (kind, id, bytes, proxied, contents) = (None, None, None, false, None);
        Self { of, what, name, kind, id, bytes, proxied, contents }
    }
}

impl Recorder {
    /// One that tells until it is dropped.
    pub(super) fn start(
        instance: InstanceId,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let recorder = Arc::new(Self {
            instance,
            bus,
            clock,
            watches: Watches::default(),
            number: AtomicU64::new(0),
            waiting: Mutex::default(),
            more: Notify::new(),
        });
        tokio::spawn(tell(Arc::downgrade(&recorder)));
        recorder
    }

    pub(super) fn watched(
        &self,
        session: SessionId,
        at: InstanceId,
        owner: OwnerMark,
        contents: bool,
    ) {
        self.watches.add(session, at, owner, contents);
    }

    pub(super) fn steps(&self, session: SessionId) -> broadcast::Receiver<Arc<Vec<Step>>> {
        // Of one that is not watched nothing comes.
        let nothing = || broadcast::channel(1).1;
        self.watches.steps(session).unwrap_or_else(nothing)
    }

    /// Whether any session is watched: what is asked first, of each request.
    pub(super) fn is_idle(&self) -> bool {
        !self.watches.are_any()
    }

    /// Whose session is watched, if this one is.
    pub(super) fn owner(&self, session: SessionId) -> Option<OwnerMark> {
        self.watches.owner(session)
    }

    /// Writes it down. The session is watched.
    pub(super) fn note(&self, session: SessionId, done: Done) {
        let Done { of, what, name, kind, id, bytes, proxied, contents } = done;
        let step = Step {
            at: self.clock.now().as_millis(),
            number: self.number.fetch_add(1, Ordering::Relaxed),
            on: self.instance.to_string(),
            of,
            what,
            name,
            kind,
            id,
            bytes,
            proxied,
            contents,
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.steps.len() >= MOST {
            waiting.missed += 1;
        } else {
            waiting.steps.push((session, step));
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// Hears a bell of another instance, or of this one.
    pub(super) fn hear(&self, bell: &Bell) {
        match bell {
            Bell::Watched(session, at, owner, contents) => {
                self.watches.add(*session, at.clone(), *owner, *contents);
            }
            Bell::Traced(session, _, steps) => match serde_json::from_slice(steps) {
                Ok(steps) => self.watches.tell(*session, steps),
                Err(error) => tracing::debug!(event = "status.unreadable", %error,
                    "what another instance did for a session cannot be read"),
            },
            other => {
                if let Some(session) = other.session()
                    && self.owner(session).is_some()
                {
                    self.note(session, Done::named("", What::Heard, other.kind()));
                }
            }
        }
    }

    async fn tell_all(&self) {
        let Waiting { steps, missed } =
            mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut sessions: Vec<(SessionId, Vec<Step>)> = Vec::new();
        for (session, step) in steps {
            match sessions.iter_mut().find(|(one, _)| *one == session) {
                Some((_, steps)) => steps.push(step),
                None => sessions.push((session, vec![step])),
            }
        }
        for (session, mut steps) in sessions {
            if missed > 0
                && let Some(last) = steps.last()
            {
                let name = format!("{missed} more");
                let last = last.without_contents();
                steps.push(Step { what: What::Missed, name, kind: None, id: None, ..last });
            }
            for (place, contents) in self.watches.places(session) {
                let shown = steps
                    .iter()
                    .map(|step| if contents { step.clone() } else { step.without_contents() });
                if place == self.instance {
                    self.watches.tell(session, shown.collect());
                } else {
                    self.send(session, &place, shown).await;
                }
            }
        }
    }

    /// Sends steps to another instance, in pieces that travel with a bell.
    async fn send(&self, session: SessionId, to: &InstanceId, steps: impl Iterator<Item = Step>) {
        let mut piece = Vec::new();
        for step in steps {
            // A value in memory has a JSON form.
            let written = serde_json::to_vec(&step).unwrap_or_default();
            if !piece.is_empty() && piece.len() + written.len() > LARGEST {
                self.ring(session, to, mem::take(&mut piece)).await;
            }
            piece.push(if piece.is_empty() { b'[' } else { b',' });
            piece.extend_from_slice(&written);
        }
        if !piece.is_empty() {
            self.ring(session, to, piece).await;
        }
    }

    async fn ring(&self, session: SessionId, to: &InstanceId, mut piece: Vec<u8>) {
        piece.push(b']');
        let bell = Bell::Traced(session, self.instance.clone(), Bytes::from(piece));
        if let Err(error) = self.bus.ring(Ring::One(to.clone()), bell).await {
            tracing::debug!(event = "bus.unavailable", %error,
                "who watches a session was not told what is done for it");
        }
    }
}

async fn tell(recorder: Weak<Recorder>) {
    while let Some(strong) = recorder.upgrade() {
        // It may be dropped while nothing comes.
        let _ = tokio::time::timeout(Duration::from_secs(5), strong.more.notified()).await;
        if strong.is_idle() {
            continue;
        }
        sleep(GATHERED_FOR).await;
        strong.tell_all().await;
    }
}
