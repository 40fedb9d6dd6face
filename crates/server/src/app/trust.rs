//! Whose word counts for who a caller is.

use std::sync::Arc;

use mcp_everything_oauth::{NoHttpClient, TrustedServer};
use tokio_util::sync::CancellationToken;

use crate::{
    http::Health,
    settings::{AuthMode, Settings},
};

pub(super) enum Trust {
    /// That of the authorization server that is part of this one.
    Own,
    /// That of another server.
    Other(Arc<TrustedServer>),
    /// Everybody's own.
    Everybody,
}

impl Trust {
    pub(super) fn of(settings: &Settings) -> Result<Self, NoHttpClient> {
        Ok(match settings.auth_mode {
            AuthMode::Integrated => Self::Own,
            AuthMode::Separate => {
                Self::Other(Arc::new(TrustedServer::new(settings.auth_server.issuer.clone())?))
            }
            AuthMode::None => Self::Everybody,
        })
    }

    /// Looks for the other server from now on. Until it is found, no caller can be let in, and
    /// `/readyz` says so. Afterwards it may be away and come again: what it said counts, where that
    /// is enough.
    pub(super) fn keep(&self, health: &Health, stop: &CancellationToken) {
        let Self::Other(server) = self else { return };
        health.set_auth_server_missing(true);
        let (health, server, stop) = (health.clone(), Arc::clone(server), stop.clone());
        tokio::spawn(async move {
            let found = async {
                server.found().await;
                health.set_auth_server_missing(false);
            };
            let both = async { tokio::join!(server.keep_finding(), found) };
            stop.run_until_cancelled(both).await;
        });
    }
}
