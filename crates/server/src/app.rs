//! The parts, put together.

mod base;
mod everything;
mod held;
mod in_memory;
mod in_redis;
mod origin;
mod probe;
mod routes;

use std::{sync::Arc, time::Duration};

use axum::Router;
use mcp_everything_features::{BuildError, Everything, KeyError};
use mcp_everything_oauth::NoResource;
use mcp_everything_store::{
    InstanceId, StoreError,
    redis::{InvalidAddress, RedisBus, Unreachable},
};
use mcp_everything_transport::{ChangeFeed, Endpoint};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use self::base::Base;
use crate::{changes::FleetChanges, http::Health, settings::Settings, unasked::Unasked};

/// Why the parts cannot be put together.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    #[error("Redis at {address} cannot be used: {why}")]
    Redis { address: String, why: Unreachable },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Features(#[from] BuildError),
    #[error(transparent)]
    Resources(#[from] NoResource),
}

/// A server, whole but for its sockets.
pub(crate) struct App {
    router: Router,
    endpoint: Endpoint<Everything>,
    health: Health,
    draining: CancellationToken,
    stop: CancellationToken,
    bus: Option<Arc<RedisBus>>,
}

impl App {
    pub(crate) async fn start(
        settings: &Settings,
        instance: &InstanceId,
    ) -> Result<Self, StartError> {
        let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
        let base = Base::new(settings, instance, &stop).await?;
        let stores = &base.stores;
        let feed = ChangeFeed::new(Arc::clone(&stores.sessions), Arc::clone(&stores.bus));
        let changes = Arc::new(FleetChanges::start(feed.clone()));
        let everything = everything::everything(settings, &base, changes, &draining)?;
        let gate = routes::gate(settings);
        let endpoint = everything::endpoint(settings, &base, feed, everything, gate).await?;
        let health = Health::new(settings.store());
        let router = routes::router(settings, &base, &endpoint, health.clone())?;
        let bus = base.stores.redis.map(|redis| {
            tokio::spawn(probe::run(redis.connections, health.clone(), stop.clone()));
            redis.bus
        });
        let unasked =
            Unasked { endpoint: endpoint.clone(), clock: base.clock, random: base.random };
        tokio::spawn(unasked.run(stop.clone()));
        Ok(Self { router, endpoint, health, draining, stop, bus })
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

    /// Returns when the other instances know that this one is gone.
    pub(crate) async fn gone(&self) {
        if let Some(bus) = &self.bus {
            bus.gone().await;
        }
    }
}
