//! The parts, put together.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, middleware};
use mcp_everything_features::{
    BuildError, Everything, KeyError, Options, RequestStateKeys, StreamCloser,
};
use mcp_everything_oauth::{
    AuthorizationServer, BearerLayer, Config as OAuthConfig, LocalVerifier, ProtectedResource,
    Resources, protected_resource_metadata, upstream::FakeUpstream,
};
use mcp_everything_store::{
    Clock, InstanceId, KeyStore as _, Owner, Random, SecretKeys, StoreError, SystemClock,
    SystemRandom,
    memory::{Limits, MemoryBus, MemoryOAuth, MemoryStore},
    oauth::OAuthStore,
};
use mcp_everything_transport::{Backends, Config, Endpoint, Scope};
use rmcp::model::Extensions;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{
    http::{
        Health, Hosts, Proxies, Requests, check_host, cors, health, log, security_headers, splash,
    },
    session::StoredSession,
    settings::{AuthMode, Settings},
    ticker::Ticker,
};

const NAME: &str = "MCP Everything Server";
/// How often expired records are taken away that nobody asks for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// Why the parts cannot be put together.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Features(#[from] BuildError),
}

/// A server, whole but for its sockets.
pub(crate) struct App {
    router: Router,
    endpoint: Endpoint<Everything>,
    health: Health,
    draining: CancellationToken,
    stop: CancellationToken,
}

/// What everything stands on.
struct Base {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    sessions: Arc<MemoryStore>,
    oauth: Arc<MemoryOAuth>,
    keys: SecretKeys,
}

impl App {
    pub(crate) async fn start(settings: &Settings) -> Result<Self, StartError> {
        let base = Base::new(settings).await?;
        let draining = CancellationToken::new();
        let everything = everything(settings, &base.keys, &draining)?;
        let endpoint = endpoint(settings, &base, everything).await?;
        let health_state = Health::default();
        let stop = CancellationToken::new();
        base.keep_clean(stop.clone());
        let ticker = Ticker {
            endpoint: endpoint.clone(),
            store: Arc::clone(&base.sessions) as _,
            clock: Arc::clone(&base.clock),
            random: Arc::clone(&base.random),
        };
        tokio::spawn(ticker.run(stop.clone()));
        let router = router(settings, &base, &endpoint, health_state.clone());
        Ok(Self { router, endpoint, health: health_state, draining, stop })
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// Ends what waits for nothing in particular, and lets running calls finish.
    pub(crate) async fn drain(&self, patience: Duration) {
        self.draining.cancel();
        self.endpoint.drain(patience).await;
    }

    /// Ends what is left.
    pub(crate) fn shut_down(&self) {
        self.endpoint.shut_down();
        self.stop.cancel();
    }
}

impl Base {
    async fn new(settings: &Settings) -> Result<Self, StoreError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let limits = Limits { session_ttl: settings.session_ttl, ..Limits::default() };
        let sessions = Arc::new(MemoryStore::new(Arc::clone(&clock), limits));
        let oauth = Arc::new(MemoryOAuth::new(Arc::clone(&clock)));
        let keys = match &settings.secret_keys {
            Some(keys) => keys.clone(),
            None => oauth.secret_keys(&SecretKeys::generate(&*random)).await?,
        };
        Ok(Self { clock, random, sessions, oauth, keys })
    }

    /// Takes expired records away that nobody asks for.
    fn keep_clean(&self, stop: CancellationToken) {
        let sessions = Arc::clone(&self.sessions);
        tokio::spawn(async move {
            while tokio::time::timeout(SWEEP_EVERY, stop.cancelled()).await.is_err() {
                sessions.sweep();
            }
        });
    }
}

fn everything(
    settings: &Settings,
    keys: &SecretKeys,
    draining: &CancellationToken,
) -> Result<Everything, StartError> {
    // The id tells which key of the ring sealed a state; it says nothing of the key.
    let ring = keys.derive("mcp request state").map(|key| (key_id(&*key), key.to_vec()));
    let mut options = Options::new(RequestStateKeys::new(ring)?);
    options.conformance = settings.conformance;
    options.draining = draining.clone();
    options.principal = Some(Arc::new(principal));
    Ok(Everything::new(options)?)
}

fn key_id(key: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use sha2::{Digest as _, Sha256};
    URL_SAFE_NO_PAD.encode(&Sha256::digest(key)[..6])
}

/// Whom a state is sealed for.
fn principal(extensions: &Extensions) -> Option<String> {
    let owner = extensions.get::<http::request::Parts>()?.extensions.get::<Owner>()?;
    Some(format!("{}\n{}\n{}", owner.issuer, owner.client, owner.user))
}

async fn endpoint(
    settings: &Settings,
    base: &Base,
    everything: Everything,
) -> Result<Endpoint<Everything>, StoreError> {
    let backends = Backends {
        store: Arc::clone(&base.sessions) as _,
        bus: Arc::new(MemoryBus::default()),
        random: Arc::clone(&base.random),
        instance: InstanceId::random("local", &*base.random),
    };
    let config = Config {
        hosts: settings.allowed_hosts.clone(),
        origins: settings.allowed_origins.clone(),
        hold_every: (settings.session_ttl / 5).min(Duration::from_secs(60)),
        ..Config::default()
    };
    let make = move |scope: &Scope<'_>, extensions: &mut Extensions| {
        if let Some(stream) = scope.stream {
            let stream = stream.clone();
            extensions.insert(StreamCloser::new(move || stream.close()));
        }
        match scope.session {
            Some(session) => everything.with_session(Arc::new(StoredSession(session.clone()))),
            None => everything.clone(),
        }
    };
    Endpoint::start(backends, config, make).await
}

fn router(
    settings: &Settings,
    base: &Base,
    endpoint: &Endpoint<Everything>,
    health_state: Health,
) -> Router {
    let mcp = Router::new().route_service("/mcp", endpoint.clone());
    let guarded = match settings.auth_mode {
        AuthMode::None => mcp.layer(Extension(Owner::anonymous())),
        AuthMode::Integrated => integrated(settings, base, mcp),
    };
    let authenticated = settings.auth_mode != AuthMode::None;
    let hosts: Hosts = Arc::new(settings.allowed_hosts.clone());
    let routes = guarded
        .merge(splash(settings.base_uri.join("/mcp"), authenticated))
        .layer(middleware::from_fn_with_state(hosts, check_host))
        .merge(health(health_state))
        .layer(cors(settings.allowed_origins.clone()));
    let requests = Requests {
        random: Arc::clone(&base.random),
        proxies: Proxies::new(settings.trusted_proxies.clone()),
    };
    security_headers(routes).layer(middleware::from_fn_with_state(requests, log))
}

/// This server as its own authorization server, with the endpoint behind its door.
fn integrated(settings: &Settings, base: &Base, mcp: Router) -> Router {
    let uri = &settings.base_uri;
    let store: Arc<dyn OAuthStore> = Arc::clone(&base.oauth) as _;
    let whole = Arc::new(ProtectedResource::new(uri, "", NAME, uri.as_str()));
    let resources = ["/mcp", "/sse"]
        .map(|path| Arc::new(ProtectedResource::new(uri, path, NAME, uri.as_str())));
    let verifier = LocalVerifier::new(Arc::clone(&store), Arc::clone(&base.clock), uri.as_str());
    let door = BearerLayer::new(Arc::new(verifier), Arc::clone(&resources[0]));
    let mut config = OAuthConfig::integrated(uri.clone(), NAME);
    config.resources = Resources::new(settings.auth_resources.clone(), uri.join("/mcp"));
    let server = AuthorizationServer {
        config,
        store,
        keys: base.keys.clone(),
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
        upstream: Arc::new(FakeUpstream::new(uri.clone(), NAME, Arc::clone(&base.random))),
    };
    let metadata = protected_resource_metadata(resources.iter().chain([&whole]).map(AsRef::as_ref));
    mcp.layer(door).merge(server.router()).merge(metadata)
}
