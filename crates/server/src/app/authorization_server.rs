//! The authorization server, in the MCP server or alone.

use std::sync::Arc;

use axum::Router;
use mcp_everything_oauth::{AuthorizationServer, Config, Elicitations, Resources};

use super::{StartError, base::Base, clients, limits, routes::NAME, upstream::upstream};
use crate::settings::{Role, Settings};

/// What a client gets a token for that names no resource, where any on loopback will do: the MCP
/// server with the usual settings, and over TLS where this one is.
const USUAL: &str = "://localhost:3232/mcp";

/// Its endpoints, at the URL of this server; with the pages on which users are asked, in the MCP
/// server.
pub(super) fn authorization_server(
    settings: &Settings,
    base: &Base,
    elicitations: Option<Arc<dyn Elicitations>>,
) -> Result<Router, StartError> {
    let uri = &settings.base_uri;
    let mut config = Config::integrated(uri.clone(), NAME);
    config.resources = if let Some(listed) = &settings.auth_resources {
        Resources::new(listed.clone(), &uri.join("/mcp"))?
    } else {
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        Resources::any_loopback(format!("{scheme}{USUAL}"))
    };
    // Whoever may look at a server of its own does so with a token for that server.
    if settings.role == Role::AuthServer {
        config.resources = config.resources.and(uri.as_str());
    }
    config.enterprise_issuers = base.enterprise_issuers.clone();
    config.dpop_nonces = settings.grants.dpop_nonces;
    config.limits = limits::of_the_authorization_server(settings, &base.stores.limiter);
    config.open_client_credentials = settings.grants.open_client_credentials;
    config.status_page = elicitations.is_some();
    let documents = clients::documents(settings, &mut config)?;
    let server = AuthorizationServer {
        config,
        store: Arc::clone(&base.stores.oauth),
        bus: Arc::clone(&base.stores.bus),
        keys: base.keys.clone(),
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
        upstream: upstream(settings, base),
        documents,
        elicitations,
    };
    Ok(server.router())
}
