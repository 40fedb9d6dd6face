//! Everything kept in the process.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{
    Clock, Limiter, Limits, MonotonicClock,
    memory::{MemoryBus, MemoryOAuth, MemoryStore},
};
use tokio_util::sync::CancellationToken;

use super::base::Stores;
use crate::metrics::Metrics;

/// How often expired records are taken away that nobody asks for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

pub(super) fn stores(
    clock: &Arc<dyn Clock>,
    limits: Limits,
    metrics: &Metrics,
    stop: &CancellationToken,
) -> Stores {
    // Sessions live by spans, which a wall clock that is set does not change.
    let monotonic = Arc::new(MonotonicClock::start());
    let sessions = Arc::new(MemoryStore::new(Arc::clone(&monotonic) as _, limits));
    let counted = Arc::clone(&sessions);
    metrics.open.ask_sessions(move || counted.count());
    tokio::spawn(keep_clean(Arc::clone(&sessions), stop.clone()));
    let oauth = Arc::new(MemoryOAuth::new(Arc::clone(clock)));
    Stores {
        sessions,
        bus: Arc::new(MemoryBus::default()),
        oauth: Arc::clone(&oauth) as _,
        keys: oauth,
        limiter: Arc::new(Limiter::alone(monotonic)),
        redis: None,
    }
}

/// Takes expired records away that nobody asks for.
async fn keep_clean(sessions: Arc<MemoryStore>, stop: CancellationToken) {
    while tokio::time::timeout(SWEEP_EVERY, stop.cancelled()).await.is_err() {
        sessions.sweep();
    }
}
