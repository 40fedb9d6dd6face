//! The routes, and what stands before them.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, middleware, response::IntoResponse as _};
use http::StatusCode;
use mcp_everything_features::Everything;
use mcp_everything_oauth::{
    BearerLayer, Caller, ElicitationPages, Elicitations, LocalVerifier, Proofs, ProtectedResource,
    RemoteVerifier, Scope, TokenVerifier, protected_resource_metadata,
};
use mcp_everything_store::Owner;
use mcp_everything_transport::{Endpoint, Gate};
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::{
    StartError, authorization_server::authorization_server, base::Base, held::Held, trust::Trust,
};
use crate::{
    http::{
        Health, Hosts, Proxies, Requests, catch_panics, check_host, cors, health, log,
        security_headers, splash, unknown, without_slash,
    },
    settings::{AuthMode, Settings},
};

pub(super) const NAME: &str = "MCP Everything Server";
/// How long the next piece of a request's body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The doors of this server as a protected resource, one for each path of it.
pub(super) fn resource(settings: &Settings, path: &str) -> Arc<ProtectedResource> {
    let authorization_server = match settings.auth_mode {
        AuthMode::Integrated | AuthMode::None => &settings.base_uri,
        AuthMode::Separate => &settings.auth_server.issuer,
    };
    Arc::new(ProtectedResource::new(&settings.base_uri, path, NAME, authorization_server.as_str()))
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

/// The MCP server's routes.
pub(super) fn mcp_server(
    settings: &Settings,
    base: &Base,
    endpoint: &Endpoint<Everything>,
    trust: &Trust,
    asked: Arc<dyn Elicitations>,
) -> Result<Router, StartError> {
    // A path is a reference that clients resolve by the URL they know the stream by, and compare
    // the origins.
    let http_sse = endpoint.http_sse(&format!("{}/message", settings.base_uri.path()));
    let doors = Doors {
        mcp: Router::new().route_service("/mcp", endpoint.clone()),
        sse: Router::new()
            .route_service("/sse", http_sse.stream)
            .route_service("/message", http_sse.message),
    };
    let guarded = match trust {
        Trust::Everybody => {
            let doors = doors.mcp.merge(doors.sse).layer(Extension(Owner::anonymous()));
            doors.merge(pages_for_everybody(settings, base, asked))
        }
        Trust::Own => {
            let (store, clock) = (Arc::clone(&base.stores.oauth), Arc::clone(&base.clock));
            let verifier = LocalVerifier::new(store, clock, settings.base_uri.as_str());
            guarded(settings, base, endpoint, doors, &(Arc::new(verifier) as _))
                .merge(authorization_server(settings, base, Some(asked))?)
        }
        Trust::Other(server) => {
            let (server_there, uri) = (Arc::clone(server), &settings.base_uri);
            let (tokens, clock) = (settings.tokens.clone(), Arc::clone(&base.clock));
            let verifier = RemoteVerifier::new(server_there, tokens, uri, &["/mcp", "/sse"], clock);
            guarded(settings, base, endpoint, doors, &(Arc::new(verifier) as _))
                .merge(server.metadata_copy(uri))
        }
    };
    let authenticated = settings.auth_mode != AuthMode::None;
    let signs_in = settings.auth_mode == AuthMode::Integrated;
    Ok(guarded.merge(splash(&settings.base_uri, authenticated, signs_in)))
}

/// The pages on which users are asked, where nobody signs in.
fn pages_for_everybody(
    settings: &Settings,
    base: &Base,
    elicitations: Arc<dyn Elicitations>,
) -> Router {
    let pages = ElicitationPages {
        base: settings.base_uri.clone(),
        service: NAME.to_owned(),
        elicitations,
        keys: base.keys.clone(),
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
    };
    pages.router()
}

/// Every route of a server, behind what stands before them all. Whoever asks for something else is
/// told `hint`.
pub(super) fn front(
    settings: &Settings,
    base: &Base,
    routes: Router,
    health_state: Health,
    hint: &str,
) -> Router {
    let hosts: Hosts = Arc::new(settings.allowed_hosts.clone());
    let routes = unknown(routes, hint)
        .layer(middleware::from_fn_with_state(hosts, check_host))
        .merge(health(health_state))
        .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
        .layer(catch_panics())
        .layer(cors(settings.allowed_origins.clone()));
    let requests = Requests {
        server: settings.beside_another.then(|| settings.role.as_str()),
        random: Arc::clone(&base.random),
        proxies: Proxies::new(settings.trusted_proxies.clone()),
    };
    without_slash(security_headers(routes).layer(middleware::from_fn_with_state(requests, log)))
}

/// What lies behind a door each, as a resource of its own.
struct Doors {
    mcp: Router,
    sse: Router,
}

/// The endpoints behind their doors, with what tells clients where to get a token.
fn guarded(
    settings: &Settings,
    base: &Base,
    endpoint: &Endpoint<Everything>,
    doors: Doors,
    verifier: &Arc<dyn TokenVerifier>,
) -> Router {
    let [mcp, sse, whole] = ["/mcp", "/sse", ""].map(|path| resource(settings, path));
    // Clients as old as this transport name no resource, and are given a token for the usual one.
    let sse = Arc::new(ProtectedResource::clone(&sse).accepting(mcp.resource()));
    let proofs = Proofs {
        replays: Arc::clone(&base.stores.oauth) as _,
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
        nonces: settings.grants.dpop_nonces.then(|| base.keys.clone()),
    };
    let held = Arc::new(Held(endpoint.clone()));
    let door = |resource: &Arc<ProtectedResource>| {
        BearerLayer::new(Arc::clone(verifier), Arc::clone(resource), proofs.clone())
            .while_away(Arc::clone(&held) as _)
    };
    let metadata = protected_resource_metadata([&*mcp, &*sse, &*whole]);
    doors.mcp.layer(door(&mcp)).merge(doors.sse.layer(door(&sse))).merge(metadata)
}
