//! What everything stands on.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{
    Bus, Clock, KeyStore as _, Limits, MonotonicClock, Random, SecretKeys, StoreError, SystemClock,
    SystemRandom,
    memory::{MemoryBus, MemoryOAuth, MemoryStore},
};
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;

/// How often expired records are taken away that nobody asks for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

pub(super) struct Base {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) sessions: Arc<MemoryStore>,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) oauth: Arc<MemoryOAuth>,
    pub(super) keys: SecretKeys,
}

impl Base {
    pub(super) async fn new(settings: &Settings) -> Result<Self, StoreError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let limits = Limits { session_ttl: settings.session_ttl, ..Limits::default() };
        // Sessions live by spans, which a wall clock that is set does not change.
        let sessions = Arc::new(MemoryStore::new(Arc::new(MonotonicClock::start()), limits));
        let bus: Arc<dyn Bus> = Arc::new(MemoryBus::default());
        let oauth = Arc::new(MemoryOAuth::new(Arc::clone(&clock)));
        let keys = match &settings.secret_keys {
            Some(keys) => keys.clone(),
            None => oauth.secret_keys(&SecretKeys::generate(&*random)).await?,
        };
        Ok(Self { clock, random, sessions, bus, oauth, keys })
    }

    /// Takes expired records away that nobody asks for.
    pub(super) fn keep_clean(&self, stop: CancellationToken) {
        let sessions = Arc::clone(&self.sessions);
        tokio::spawn(async move {
            while tokio::time::timeout(SWEEP_EVERY, stop.cancelled()).await.is_err() {
                sessions.sweep();
            }
        });
    }
}
