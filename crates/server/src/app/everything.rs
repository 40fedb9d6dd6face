//! The features, as this server offers them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mcp_everything_features::{
    Changes, Everything, Options, Pages, RequestStateKeys, StreamCloser, is_untyped,
};
use mcp_everything_store::{
    Handshake, Random, StoreError,
    oauth::{GrantId, OAuthStore},
};
use mcp_everything_transport::{
    Backends, ChangeFeed, Config, ElicitationDesk, Endpoint, Gate, Observer, Scope, Standing,
    TaskDesk,
};
use rmcp::model::Extensions;
use tokio_util::sync::CancellationToken;

use super::{StartError, base::Base, clients, faults, limits, origin::origin};
use crate::{
    elicitations::{FleetPages, InSession},
    fetch::PublicFetch,
    session::StoredSession,
    settings::{AuthMode, Settings},
    shelf::FleetShelves,
    tasks::FleetTasks,
};

/// What the sessions of a process have in common with those of the others.
pub(super) struct Desks {
    pub(super) changes: ChangeFeed,
    pub(super) tasks: TaskDesk,
    pub(super) elicitations: ElicitationDesk,
}

/// How long it takes until all listeners of an instance that goes away have left.
const LISTENERS_LEAVE: Duration = Duration::from_secs(2);

/// How the features are offered. A listener of the stateless wire ends with `draining`.
pub(super) fn options(
    settings: &Settings,
    base: &Base,
    changes: Arc<dyn Changes>,
    tasks: TaskDesk,
    draining: &CancellationToken,
) -> Result<Options, StartError> {
    // The id tells which key of the ring sealed a state; it says nothing of the key.
    let ring = base.keys.derive("mcp request state").map(|key| (key_id(&*key), key.to_vec()));
    let clock = Arc::clone(&base.clock);
    let clock = Arc::new(move || clock.now().as_millis());
    let mut options = Options::new(RequestStateKeys::new(ring)?, clock);
    options.settings.clone_from(&settings.public);
    options.conformance = settings.conformance;
    options.faults = settings.fault_tools.then(|| faults::hook(settings));
    options.changes = changes;
    options.shelves = Arc::new(FleetShelves {
        store: Arc::clone(&base.stores.sessions),
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
    });
    if let Some(fetcher) = clients::public_fetcher(settings) {
        options.fetch = Arc::new(PublicFetch::new(fetcher));
    }
    options.tasks = Some(Arc::new(FleetTasks(tasks)));
    options.draining = draining.clone();
    options.instance = base.instance.to_string();
    options.origin = Arc::new(origin);
    options.declared = Arc::new(|extensions| {
        let handshake = extensions.get::<Handshake>()?;
        Some(Arc::clone(&handshake.initialize))
    });
    Ok(options)
}

/// The pages on which users are asked. Whoever opens one must be known for the user who is asked, so
/// a server whose users sign in elsewhere has none (Elicitation, Phishing).
pub(super) fn pages(settings: &Settings, desk: &ElicitationDesk) -> Option<Arc<dyn Pages>> {
    let sign_in = match settings.auth_mode {
        AuthMode::Integrated => true,
        AuthMode::None => false,
        AuthMode::Separate => return None,
    };
    Some(Arc::new(FleetPages { desk: desk.clone(), base: settings.base_uri.clone(), sign_in }))
}

/// Lets listeners go one after another, as standalone streams do.
pub(super) fn lingering(random: Arc<dyn Random>) -> impl Fn() -> Duration {
    move || {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        LISTENERS_LEAVE.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
    }
}

fn key_id(key: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use sha2::{Digest as _, Sha256};
    URL_SAFE_NO_PAD.encode(&Sha256::digest(key)[..6])
}

/// The grants of the authorization server that is part of this one.
struct Grants(Arc<dyn OAuthStore>);

#[async_trait]
impl Standing for Grants {
    async fn stands(&self, grant: &GrantId) -> Result<bool, StoreError> {
        Ok(self.0.grant(grant).await?.is_some_and(|grant| !grant.revoked))
    }
}

/// Who knows which grants were revoked. Of those of a server elsewhere nobody here does.
fn standing(settings: &Settings, base: &Base) -> Option<Arc<dyn Standing>> {
    match settings.auth_mode {
        AuthMode::Integrated => Some(Arc::new(Grants(Arc::clone(&base.stores.oauth)))),
        AuthMode::Separate | AuthMode::None => None,
    }
}

/// The features behind the transport.
pub(super) async fn endpoint(
    settings: &Settings,
    base: &Base,
    desks: Desks,
    everything: Everything,
    gate: Gate,
    observer: Arc<dyn Observer>,
) -> Result<Endpoint<Everything>, StoreError> {
    let Desks { changes, tasks, elicitations } = desks;
    let backends = Backends {
        store: Arc::clone(&base.stores.sessions),
        bus: Arc::clone(&base.stores.bus),
        changes,
        tasks,
        elicitations,
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
        instance: base.instance.clone(),
        standing: standing(settings, base),
        observer,
    };
    let (requests, sessions) = limits::of_users(settings, &base.stores.limiter);
    let config = Config {
        requests,
        sessions,
        hosts: settings.allowed_hosts.clone(),
        origins: settings.allowed_origins.clone(),
        gate,
        faulty: faults::tools(settings),
        untyped: is_untyped,
        hold_every: (settings.session_ttl / 5).min(Config::default().hold_every),
        ..Config::default()
    };
    let random = Arc::clone(&base.random);
    let make = move |scope: &Scope<'_>, extensions: &mut Extensions| {
        if let Some(stream) = scope.stream {
            let stream = stream.clone();
            extensions.insert(StreamCloser::new(move || stream.close()));
        }
        match scope.session {
            Some(session) => {
                extensions.insert(InSession(session.id()));
                let (handle, random) = (session.clone(), Arc::clone(&random));
                everything.with_session(Arc::new(StoredSession { handle, random }))
            }
            None => everything.clone(),
        }
    };
    Endpoint::start(backends, config, make).await
}
