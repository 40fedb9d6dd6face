//! The routes, and what stands before them.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, middleware, response::IntoResponse as _};
use http::StatusCode;
use mcp_everything_features::Everything;
use mcp_everything_oauth::{
    AuthorizationServer, BearerLayer, Caller, Config as OAuthConfig, LocalVerifier, NoResource,
    ProtectedResource, Resources, Scope, protected_resource_metadata, upstream::FakeUpstream,
};
use mcp_everything_store::Owner;
use mcp_everything_transport::{Endpoint, Gate};
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::base::Base;
use crate::{
    http::{
        Health, Hosts, Proxies, Requests, catch_panics, check_host, cors, health, log,
        security_headers, splash, unknown,
    },
    settings::{AuthMode, Settings},
};

const NAME: &str = "MCP Everything Server";
/// How long the next piece of a request's body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The doors of this server as a protected resource, one for each path of it.
pub(super) fn resource(settings: &Settings, path: &str) -> Arc<ProtectedResource> {
    let uri = &settings.base_uri;
    Arc::new(ProtectedResource::new(uri, path, NAME, uri.as_str()))
}

/// Lets a caller use the methods that its token has the scope for.
pub(super) fn gate(settings: &Settings) -> Gate {
    if settings.auth_mode == AuthMode::None {
        return Gate::default();
    }
    let resource = resource(settings, "/mcp");
    Gate::new(move |parts, method| {
        let Some(needed) = Scope::for_method(method) else { return Ok(()) };
        match parts.extensions.get::<Caller>() {
            Some(caller) if caller.may(needed) => Ok(()),
            Some(caller) => Err(Box::new(resource.insufficient_scope(caller, needed))),
            // The door before this one lets nobody through without a token.
            None => Err(Box::new(StatusCode::UNAUTHORIZED.into_response())),
        }
    })
}

pub(super) fn router(
    settings: &Settings,
    base: &Base,
    endpoint: &Endpoint<Everything>,
    health_state: Health,
) -> Result<Router, NoResource> {
    let mcp = Router::new().route_service("/mcp", endpoint.clone());
    let guarded = match settings.auth_mode {
        AuthMode::None => mcp.layer(Extension(Owner::anonymous())),
        AuthMode::Integrated => integrated(settings, base, mcp)?,
    };
    let authenticated = settings.auth_mode != AuthMode::None;
    let hosts: Hosts = Arc::new(settings.allowed_hosts.clone());
    let routes = guarded.merge(splash(&settings.base_uri, authenticated));
    let routes = unknown(routes, &settings.base_uri)
        .layer(middleware::from_fn_with_state(hosts, check_host))
        .merge(health(health_state))
        .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
        .layer(catch_panics())
        .layer(cors(settings.allowed_origins.clone()));
    let requests = Requests {
        random: Arc::clone(&base.random),
        proxies: Proxies::new(settings.trusted_proxies.clone()),
    };
    Ok(security_headers(routes).layer(middleware::from_fn_with_state(requests, log)))
}

/// This server as its own authorization server, with the endpoint behind its door.
fn integrated(settings: &Settings, base: &Base, mcp: Router) -> Result<Router, NoResource> {
    let uri = &settings.base_uri;
    let store = Arc::clone(&base.stores.oauth);
    let resources = ["/mcp", "/sse", ""].map(|path| resource(settings, path));
    let verifier = LocalVerifier::new(Arc::clone(&store), Arc::clone(&base.clock), uri.as_str());
    let door = BearerLayer::new(Arc::new(verifier), Arc::clone(&resources[0]));
    let mut config = OAuthConfig::integrated(uri.clone(), NAME);
    config.resources = Resources::new(settings.auth_resources.clone(), &uri.join("/mcp"))?;
    let server = AuthorizationServer {
        config,
        store,
        bus: Arc::clone(&base.stores.bus),
        keys: base.keys.clone(),
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
        upstream: Arc::new(FakeUpstream::new(uri.clone(), NAME, Arc::clone(&base.random))),
    };
    let metadata = protected_resource_metadata(resources.iter().map(AsRef::as_ref));
    Ok(mcp.layer(door).merge(server.router()).merge(metadata))
}
