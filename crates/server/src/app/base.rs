//! What everything stands on.

use std::sync::Arc;

use mcp_everything_oauth::{BaseUri, NoHttpClient, TrustedIssuers, TrustedServer};
use mcp_everything_store::{
    Bus, Clock, InstanceId, KeyStore, Limiter, Limits, Random, SecretKeys, SessionStore,
    StoreError, SystemClock, SystemRandom,
    oauth::OAuthStore,
    redis::{Redis, RedisBus},
};
use mcp_everything_transport::{ElicitationDesk, TaskDesk};
use tokio_util::sync::CancellationToken;

use super::{StartError, in_memory, in_redis};
use crate::{
    metrics::Metrics,
    settings::Settings,
    status::{Overhearing, SeenSessions},
};

/// Where everything is kept.
pub(super) struct Stores {
    pub(super) sessions: Arc<dyn SessionStore>,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) oauth: Arc<dyn OAuthStore>,
    pub(super) keys: Arc<dyn KeyStore>,
    pub(super) limiter: Arc<Limiter>,
    pub(super) redis: Option<Connected>,
}

/// What is there only with Redis.
pub(super) struct Connected {
    pub(super) connections: Redis,
    pub(super) bus: Arc<RedisBus>,
}

pub(super) struct Base {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) instance: InstanceId,
    pub(super) stores: Stores,
    /// Hears along at the bus of the stores.
    pub(super) overhearing: Arc<Overhearing>,
    /// The sessions that requests of this process named of late.
    pub(super) sessions_seen: Arc<SeenSessions>,
    pub(super) keys: SecretKeys,
    /// Found, and found again, until `stop`.
    pub(super) enterprise_issuers: TrustedIssuers,
    /// Ends what goes on beside requests.
    pub(super) stop: CancellationToken,
}

impl Base {
    /// Memory is never taken in place of a Redis that is away.
    pub(super) async fn new(
        settings: &Settings,
        instance: &InstanceId,
        metrics: &Metrics,
        stop: &CancellationToken,
    ) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let limits = Limits { session_ttl: settings.session_ttl, ..Limits::default() };
        let mut stores = match &settings.redis {
            Some(address) => in_redis::stores(address, limits, metrics.redis()).await?,
            None => in_memory::stores(&clock, limits, metrics, stop),
        };
        let overhearing = Arc::new(Overhearing::new(Arc::clone(&stores.bus)));
        stores.bus = Arc::clone(&overhearing) as _;
        metrics.open.ask_limits(&stores.limiter);
        let keys = match &settings.secret_keys {
            Some(keys) => keys.clone(),
            None => made_once(&*stores.keys, &*random).await?,
        };
        let (instance, stop) = (instance.clone(), stop.clone());
        let enterprise_issuers = trusted(&settings.grants.enterprise_issuers, &stop)?;
        let sessions_seen = Arc::default();
        Ok(Self {
            clock,
            random,
            instance,
            stores,
            overhearing,
            sessions_seen,
            keys,
            enterprise_issuers,
            stop,
        })
    }

    /// Where users are asked on pages.
    pub(super) fn elicitation_desk(&self) -> ElicitationDesk {
        ElicitationDesk::new(
            Arc::clone(&self.stores.sessions),
            Arc::clone(&self.stores.bus),
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        )
    }

    /// Where tasks begin.
    pub(super) fn task_desk(&self) -> TaskDesk {
        TaskDesk::new(
            Arc::clone(&self.stores.sessions),
            Arc::clone(&self.stores.bus),
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
            self.instance.clone(),
        )
    }
}

/// Looks for these identity providers from now on.
fn trusted(issuers: &[BaseUri], stop: &CancellationToken) -> Result<TrustedIssuers, NoHttpClient> {
    let mut servers = Vec::new();
    for issuer in issuers {
        let server = Arc::new(TrustedServer::new(issuer.clone())?);
        let (kept, stop) = (Arc::clone(&server), stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(kept.keep_finding()).await });
        servers.push(server);
    }
    Ok(TrustedIssuers::new(servers))
}

/// The keys that every instance of the store has, whichever came first.
async fn made_once(keys: &dyn KeyStore, random: &dyn Random) -> Result<SecretKeys, StoreError> {
    keys.secret_keys(&SecretKeys::generate(random)).await
}
