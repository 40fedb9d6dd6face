//! The parts, put together.

mod audience;
mod authorization_server;
mod base;
mod clients;
mod everything;
mod faults;
mod held;
mod in_memory;
mod in_redis;
mod limits;
mod lookers;
mod origin;
mod probe;
mod routes;
mod status;
mod stdio;
mod trust;
mod upstream;

use std::{sync::Arc, time::Duration};

use mcp_everything_features::{BuildError, Everything, KeyError};
use mcp_everything_oauth::{NoHttpClient, NoResource};
use mcp_everything_store::{
    InstanceId, StoreError,
    redis::{InvalidAddress, RedisBus, Unreachable},
};
use mcp_everything_transport::{ChangeFeed, Endpoint};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

pub(crate) use self::stdio::StdioApp;
use self::{
    base::Base,
    routes::{ByAnyName, Watched},
    trust::Trust,
};
use crate::{
    changes::FleetChanges,
    elicitations::AskedOnPages,
    http::{Front, Health, auth_server_splash, splash},
    metrics::Metrics,
    net::TlsProblem,
    settings::{Role, Settings},
    status::{BusHealth, Local},
    telemetry::Lines,
    unasked::Unasked,
};

/// Why the parts cannot be put together.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    #[error("Redis at {address} cannot be used: {why}; {advice}")]
    Redis { address: String, why: Unreachable, advice: &'static str },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Features(#[from] BuildError),
    #[error(transparent)]
    Resources(#[from] NoResource),
    #[error(transparent)]
    Http(#[from] NoHttpClient),
    #[error("{variable} is wrong: {0}", variable = .0.variable())]
    Tls(#[from] TlsProblem),
    #[error("the standard streams cannot be used: {0}")]
    Streams(#[from] std::io::Error),
    #[error(transparent)]
    Documents(#[from] mcp_everything_fetch::BuildError),
}

/// A server, whole but for its sockets.
pub(crate) struct App {
    front: Front,
    health: Health,
    /// The MCP server's. The authorization server has nothing that outlives a request.
    endpoint: Option<Endpoint<Everything>>,
    draining: CancellationToken,
    stop: CancellationToken,
    bus: Option<Arc<RedisBus>>,
}

impl App {
    pub(crate) async fn start(
        settings: &Settings,
        instance: &InstanceId,
        metrics: Arc<Metrics>,
        lines: &Lines,
    ) -> Result<Self, StartError> {
        let stop = CancellationToken::new();
        let base = Base::new(settings, instance, &metrics, &stop).await?;
        let health = Health::new(settings.store());
        metrics.open.ask_health(settings.role.as_str(), health.clone());
        let app = match settings.role {
            Role::McpServer => {
                Self::mcp_server(settings, &base, health, metrics, lines, stop).await?
            }
            Role::AuthServer => Self::auth_server(settings, &base, health, metrics, stop)?,
        };
        let bus = base.stores.redis.map(|redis| {
            let (health, stop) = (app.health.clone(), app.stop.clone());
            tokio::spawn(probe::run(redis.connections, health, stop));
            redis.bus
        });
        Ok(Self { bus, ..app })
    }

    async fn mcp_server(
        settings: &Settings,
        base: &Base,
        health: Health,
        metrics: Arc<Metrics>,
        lines: &Lines,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let started = base.clock.now();
        let draining = CancellationToken::new();
        let stores = &base.stores;
        let feed = ChangeFeed::new(Arc::clone(&stores.sessions), Arc::clone(&stores.bus));
        let changes = Arc::new(FleetChanges::start(feed.clone()));
        let (tasks, elicitations) = (base.task_desk(), base.elicitation_desk());
        let mut options = everything::options(settings, base, changes, tasks.clone(), &draining)?;
        options.lingering = Arc::new(everything::lingering(Arc::clone(&base.random)));
        options.website_url = Some(settings.base_uri.as_str().to_owned());
        options.pages = everything::pages(settings, &elicitations);
        let everything = Everything::new(options)?;
        let names = everything.names();
        let observer = metrics.calls(everything.tool_names().map(str::to_owned).collect());
        let desks = everything::Desks { changes: feed, tasks, elicitations: elicitations.clone() };
        let gate = routes::gate(settings);
        let endpoint =
            everything::endpoint(settings, base, desks, everything, gate, observer).await?;
        metrics.open.ask_endpoint(&endpoint);
        let trust = Trust::of(settings)?;
        let asked = Arc::new(AskedOnPages(elicitations));
        let verifier = routes::verifier(settings, base, &trust);
        let shown = status::of(base);
        let tap = status::tapped(base, &shown);
        let watched = Watched { endpoint: &endpoint, tap };
        let inner = routes::mcp_server(settings, base, watched, &trust, verifier.as_ref(), asked)?;
        let hint = format!("the MCP endpoint is {}", settings.base_uri.join("/mcp"));
        let lookers = lookers::lookers(settings, base, verifier);
        let live = status::page(settings, base, &shown, lookers.clone(), lines, &draining);
        let inner = inner.merge(live);
        let local = Local {
            started,
            store: settings.store(),
            metrics: Arc::clone(&metrics),
            sessions: Arc::clone(&base.sessions_seen),
            health: health.clone(),
            endpoint: endpoint.clone(),
            bus: BusHealth(stores.redis.as_ref().map(|redis| Arc::clone(&redis.bus))),
        };
        tokio::spawn(shown.report(local, stop.clone()));
        let by_any_name = ByAnyName { health: health.clone(), lookers, metrics };
        let page = |site| splash(settings, site, names);
        let front = routes::front(settings, base, inner, by_any_name, page, &hint);
        trust.keep(&health, &stop);
        let unasked = Unasked {
            audience: endpoint.clone(),
            clock: Arc::clone(&base.clock),
            random: Arc::clone(&base.random),
        };
        tokio::spawn(unasked.run(stop.clone()));
        Ok(Self { front, health, endpoint: Some(endpoint), draining, stop, bus: None })
    }

    fn auth_server(
        settings: &Settings,
        base: &Base,
        health: Health,
        metrics: Arc<Metrics>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let verifier = Arc::new(routes::own_verifier(&settings.base_uri, base));
        let lookers = lookers::lookers(settings, base, Some(verifier));
        let inner = authorization_server::authorization_server(settings, base, None)?
            .merge(lookers.metadata());
        let metadata = settings.base_uri.well_known("oauth-authorization-server", "");
        let hint = format!("what this authorization server can do is said at {metadata}");
        let by_any_name = ByAnyName { health: health.clone(), lookers, metrics };
        let page = |site| auth_server_splash(settings, site);
        let front = routes::front(settings, base, inner, by_any_name, page, &hint);
        let draining = CancellationToken::new();
        Ok(Self { front, health, endpoint: None, draining, stop, bus: None })
    }

    pub(crate) fn front(&self) -> Front {
        self.front.clone()
    }

    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// Ends what waits for nothing in particular, and lets running calls finish.
    pub(crate) async fn drain(&self, patience: Duration) {
        self.draining.cancel();
        if let Some(endpoint) = &self.endpoint {
            endpoint.drain(patience).await;
        }
    }

    /// Ends what is left.
    pub(crate) fn shut_down(&self) {
        if let Some(endpoint) = &self.endpoint {
            endpoint.shut_down();
        }
        self.stop.cancel();
    }

    /// Returns when the other instances know that this one is gone.
    pub(crate) async fn gone(&self) {
        if let Some(bus) = &self.bus {
            bus.gone().await;
        }
    }
}
