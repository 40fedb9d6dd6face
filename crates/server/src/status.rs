//! What the status page shows: what instances say of themselves, and what is done for a session that
//! somebody watches.
//!
//! `docs/status.md` describes it. Nothing of the server depends on it.

mod bus;
mod history;
mod recorder;
mod report;
mod reporter;
mod seen;
mod step;
mod tap;
mod watches;

use std::sync::{Arc, Mutex, PoisonError};

use mcp_everything_store::{
    Bell, Bus, Clock, InstanceId, OwnerMark, Ring, SessionId, SessionStore,
};
use tokio::{
    sync::{broadcast, watch},
    time::{Duration, Instant},
};

pub(crate) use self::{
    bus::Overhearing,
    recorder::Recorder,
    report::{BusHealth, Report, Reports},
    reporter::Local,
    seen::SeenSessions,
    step::Step,
    tap::Tap,
};

/// For how long somebody who looks counts as looking. They say so again before that.
pub(crate) const LOOKS_FOR: Duration = Duration::from_secs(15);
/// How often whoever looks says so.
pub(crate) const SAYS_SO_EVERY: Duration = Duration::from_secs(5);

/// What is known here of this instance and the others.
pub(crate) struct Status {
    pub(crate) instance: InstanceId,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recorder: Arc<Recorder>,
    bus: Arc<dyn Bus>,
    /// Until when somebody looks, here or elsewhere.
    looked_until: Mutex<Option<Instant>>,
    reports: watch::Sender<Arc<Reports>>,
}

impl Status {
    /// Nothing is known yet. `bus` is the one that the recorder hears along at.
    pub(crate) fn new(
        instance: InstanceId,
        store: Arc<dyn SessionStore>,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let recorder = Recorder::start(instance.clone(), Arc::clone(&bus), Arc::clone(&clock));
        Arc::new(Self {
            instance,
            store,
            clock,
            recorder,
            bus,
            looked_until: Mutex::default(),
            reports: watch::Sender::new(Arc::default()),
        })
    }

    /// Says here and elsewhere that somebody looks.
    pub(crate) async fn look(&self) {
        self.looked();
        self.ring(Bell::Looked).await;
    }

    /// Says here and elsewhere that somebody watches a session; `contents`: who may see what is in
    /// its messages.
    pub(crate) async fn watch(&self, session: SessionId, owner: OwnerMark, contents: bool) {
        self.recorder.watched(session, self.instance.clone(), owner, contents);
        self.ring(Bell::Watched(session, self.instance.clone(), owner, contents)).await;
    }

    /// What is done for a session from now on.
    pub(crate) fn steps(&self, session: SessionId) -> broadcast::Receiver<Arc<Vec<Step>>> {
        self.recorder.steps(session)
    }

    /// What all instances say, and each time they say something else.
    pub(crate) fn reports(&self) -> watch::Receiver<Arc<Reports>> {
        self.reports.subscribe()
    }

    /// Hears a bell that rang at this instance.
    fn hear(&self, bell: &Bell) {
        match bell {
            Bell::Looked => self.looked(),
            other => self.recorder.hear(other),
        }
    }

    fn looked(&self) {
        let until = Instant::now() + LOOKS_FOR;
        *self.looked_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    fn is_looked_at(&self) -> bool {
        let until = *self.looked_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until > Instant::now())
    }

    /// A bell that is lost is rung again soon.
    async fn ring(&self, bell: Bell) {
        if let Err(error) = self.bus.ring(Ring::All, bell).await {
            tracing::debug!(event = "bus.unavailable", %error,
                "other instances do not know that somebody looks");
        }
    }
}
