//! What the requests of one endpoint share.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{Bus, CallId, Clock, InstanceId, Random, SessionId, SessionStore};
use rmcp::model::{Extensions, ProtocolVersion};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    ChangeFeed, Config, ElicitationDesk, Scope, TaskDesk,
    away::Away,
    call::{Peers, RunningCalls},
    changes::Teller,
    http::Bodies,
    jitter,
    lease::{Grants, Standing},
    leaving::Leaving,
    observe::Observer,
    resume::Readers,
    standalone::OpenStreams,
};

pub(crate) type Factory<H> = dyn Fn(&Scope<'_>, &mut Extensions) -> H + Send + Sync;

pub(crate) struct Shared<H> {
    pub(crate) config: Config,
    pub(crate) bodies: Bodies,
    pub(crate) factory: Arc<Factory<H>>,
    /// The versions the handlers speak.
    pub(crate) versions: Vec<ProtocolVersion>,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) changes: ChangeFeed,
    pub(crate) tasks: TaskDesk,
    pub(crate) elicitations: ElicitationDesk,
    pub(crate) teller: Arc<Teller>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) instance: InstanceId,
    pub(crate) grants: Grants,
    pub(crate) standing: Option<Arc<dyn Standing>>,
    pub(crate) peers: Peers,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) calls: RunningCalls,
    pub(crate) readers: Readers,
    pub(crate) streams: OpenStreams,
    /// The requests that wait for a store that is away.
    pub(crate) away: Away,
    /// The requests that a drain waits for, until the end of their answers.
    pub(crate) requests: TaskTracker,
    /// The streams that are seen off in a drain, and what is still to be given up for them.
    pub(crate) departures: TaskTracker,
    /// The first half of going away: what another instance can go on with ends.
    pub(crate) draining: CancellationToken,
    /// Between the two: calls that still run end, with a last word.
    pub(crate) cut: CancellationToken,
    /// The second: everything ends at once.
    pub(crate) shutdown: CancellationToken,
}

impl<H> Shared<H> {
    /// Whether a call may still run where it was opened. Whoever cannot be asked is not gone.
    pub(crate) async fn may_run(
        &self,
        session: SessionId,
        call: CallId,
        instance: &InstanceId,
    ) -> bool {
        if *instance == self.instance {
            return self.calls.get(session, call).is_some();
        }
        !matches!(self.bus.is_alive(instance).await, Ok(false))
    }

    /// How long a client is told to wait before it comes back to a stream that breaks off: not as
    /// long as all the others of this instance, which may break down with it.
    pub(crate) fn retry(&self) -> Duration {
        jitter::around(&*self.random, self.config.retry)
    }

    pub(crate) fn leaving(&self, primes: bool) -> Leaving {
        Leaving::new(&self.draining, &self.random, primes)
    }

    /// Ends what is open here of a session that is gone.
    pub(crate) fn end_session(&self, session: SessionId) {
        self.calls.abort(session);
        self.end_streams(session);
    }

    pub(crate) fn end_streams(&self, session: SessionId) {
        self.streams.end(session);
        self.readers.wake_session(session);
    }
}
