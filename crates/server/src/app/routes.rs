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

use super::{base::Base, held::Held};
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
    let [mcp, sse] = ["/mcp", "/sse"].map(|path| resource(settings, path));
    Gate::new(move |parts, method| {
        let resource = if parts.uri.path() == "/message" { &sse } else { &mcp };
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
    // A path is a reference that clients resolve by the URL they know the stream by, and compare
    // the origins.
    let http_sse = endpoint.http_sse(&format!("{}/message", settings.base_uri.path()));
    let doors = Doors {
        mcp: Router::new().route_service("/mcp", endpoint.clone()),
        sse: Router::new()
            .route_service("/sse", http_sse.stream)
            .route_service("/message", http_sse.message),
    };
    let guarded = match settings.auth_mode {
        AuthMode::None => doors.mcp.merge(doors.sse).layer(Extension(Owner::anonymous())),
        AuthMode::Integrated => integrated(settings, base, endpoint, doors)?,
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

/// What lies behind a door each, as a resource of its own.
struct Doors {
    mcp: Router,
    sse: Router,
}

/// This server as its own authorization server, with the endpoints behind their doors.
fn integrated(
    settings: &Settings,
    base: &Base,
    endpoint: &Endpoint<Everything>,
    doors: Doors,
) -> Result<Router, NoResource> {
    let uri = &settings.base_uri;
    let store = Arc::clone(&base.stores.oauth);
    let [mcp, sse, whole] = ["/mcp", "/sse", ""].map(|path| resource(settings, path));
    // Clients as old as this transport name no resource, and are given a token for the usual one.
    let sse = Arc::new(ProtectedResource::clone(&sse).accepting(mcp.resource()));
    let verifier = LocalVerifier::new(Arc::clone(&store), Arc::clone(&base.clock), uri.as_str());
    let verifier = Arc::new(verifier);
    let held = Arc::new(Held(endpoint.clone()));
    let door = |resource: &Arc<ProtectedResource>| {
        BearerLayer::new(Arc::clone(&verifier) as _, Arc::clone(resource))
            .while_away(Arc::clone(&held) as _)
    };
    let guarded = doors.mcp.layer(door(&mcp)).merge(doors.sse.layer(door(&sse)));
    let mut config = OAuthConfig::integrated(uri.clone(), NAME);
    config.resources = Resources::new(settings.auth_resources.clone(), &uri.join("/mcp"))?;
    config.open_client_credentials = settings.grants.open_client_credentials;
    let server = AuthorizationServer {
        config,
        store,
        bus: Arc::clone(&base.stores.bus),
        keys: base.keys.clone(),
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
        upstream: Arc::new(FakeUpstream::new(uri.clone(), NAME, Arc::clone(&base.random))),
    };
    let metadata = protected_resource_metadata([&*mcp, &*sse, &*whole]);
    Ok(guarded.merge(server.router()).merge(metadata))
}
