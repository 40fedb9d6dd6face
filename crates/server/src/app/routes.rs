//! The routes, and what stands before them.

use std::sync::Arc;

use axum::{Extension, Router, response::IntoResponse as _};
use http::StatusCode;
use mcp_everything_features::Everything;
use mcp_everything_oauth::{
    BaseUri, BearerLayer, Caller, ElicitationPages, Elicitations, LocalVerifier, Proofs,
    ProtectedResource, RemoteVerifier, Scope, TokenVerifier, protected_resource_metadata,
};
use mcp_everything_store::Owner;
use mcp_everything_transport::{Endpoint, Gate};
use tower::Layer as _;

use super::{
    StartError, authorization_server::authorization_server, base::Base, held::Held, trust::Trust,
};
use crate::{
    http::{
        Front, Health, Lookers, Proxies, Requests, Site, assets, endpoints, health, metrics,
        unknown,
    },
    metrics::Metrics,
    settings::{AuthMode, Settings},
    status::Tap,
};

pub(super) const NAME: &str = "MCP Everything Server";

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

/// Who says which tokens are good at the MCP server; `None` where none are checked.
pub(super) fn verifier(
    settings: &Settings,
    base: &Base,
    trust: &Trust,
) -> Option<Arc<dyn TokenVerifier>> {
    let (uri, clock) = (&settings.base_uri, Arc::clone(&base.clock));
    match trust {
        Trust::Everybody => None,
        Trust::Own => Some(Arc::new(own_verifier(uri, base))),
        Trust::Other(server) => {
            let (server, tokens) = (Arc::clone(server), settings.tokens.clone());
            Some(Arc::new(RemoteVerifier::new(server, tokens, uri, &["/mcp", "/sse"], clock)))
        }
    }
}

/// Who says which tokens are good that the authorization server at `uri` has issued, in its own
/// process.
pub(super) fn own_verifier(uri: &BaseUri, base: &Base) -> LocalVerifier {
    LocalVerifier::new(Arc::clone(&base.stores.oauth), Arc::clone(&base.clock), uri.as_str())
}

/// How proofs of possession are checked.
pub(super) fn proofs(settings: &Settings, base: &Base) -> Proofs {
    Proofs {
        replays: Arc::clone(&base.stores.oauth) as _,
        clock: Arc::clone(&base.clock),
        random: Arc::clone(&base.random),
        nonces: settings.grants.dpop_nonces.then(|| base.keys.clone()),
    }
}

/// The endpoint, and what sees its requests.
pub(super) struct Watched<'a> {
    pub(super) endpoint: &'a Endpoint<Everything>,
    pub(super) tap: Tap,
}

/// The MCP server's routes.
pub(super) fn mcp_server(
    settings: &Settings,
    base: &Base,
    watched: Watched<'_>,
    trust: &Trust,
    verifier: Option<&Arc<dyn TokenVerifier>>,
    asked: Arc<dyn Elicitations>,
) -> Result<Router, StartError> {
    let Watched { endpoint, tap } = watched;
    // A path is a reference that clients resolve by the URL they know the stream by, and compare
    // the origins.
    let http_sse = endpoint.http_sse(&format!("{}/message", settings.base_uri.path()));
    let mcp = tap.before(endpoint.clone());
    let [stream, message] = [http_sse.stream, http_sse.message].map(|service| tap.before(service));
    let endpoints = match verifier {
        Some(verifier) => {
            let doors = Doors::new(settings, base, endpoint, verifier);
            // Each is around its endpoint, and no layer of a router, which is one more service to copy
            // for each request.
            Router::new()
                .route_service("/mcp", doors.mcp.layer(mcp))
                .route_service("/sse", doors.sse.layer(stream))
                .route_service("/message", doors.sse.layer(message))
                .merge(doors.metadata)
        }
        None => Router::new()
            .route_service("/mcp", mcp)
            .route_service("/sse", stream)
            .route_service("/message", message)
            .layer(Extension(Owner::anonymous())),
    };
    Ok(endpoints.merge(match trust {
        Trust::Everybody => pages_for_everybody(settings, base, asked),
        Trust::Own => authorization_server(settings, base, Some(asked))?,
        Trust::Other(server) => server.metadata_copy(&settings.base_uri),
    }))
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

/// What stands behind no door and shows how the server fares.
pub(super) struct ByAnyName {
    pub(super) health: Health,
    pub(super) lookers: Lookers,
    pub(super) metrics: Arc<Metrics>,
}

/// Every route of a server, with `page` at its root, behind what stands before them all. Whoever asks
/// for something else is told `hint`.
pub(super) fn front(
    settings: &Settings,
    base: &Base,
    routes: Router,
    by_any_name: ByAnyName,
    page: impl FnOnce(Site) -> Router,
    hint: &str,
) -> Front {
    let ByAnyName { health: state, lookers, metrics: counted } = by_any_name;
    let requests = Requests {
        server: settings.beside_another.then(|| settings.role.as_str()),
        random: Arc::clone(&base.random),
        proxies: Proxies::new(settings.trusted_proxies.clone()),
        metrics: Arc::clone(&counted),
        sessions: Arc::clone(&base.sessions_seen),
    };
    let routes = routes.merge(health(state)).merge(lookers.only(metrics(counted)));
    let there: Arc<[_]> = endpoints(settings).into();
    let site = Site::of(settings, Arc::clone(&there));
    let routes = unknown(routes.merge(page(site.clone())).merge(assets()), hint, there);
    let (hosts, origins) = (settings.allowed_hosts.clone(), settings.allowed_origins.clone());
    Front::new(routes, requests, hosts, origins, site)
}

/// What stands before the endpoints, each a resource of its own, and what tells clients where to get
/// a token for them.
struct Doors {
    mcp: BearerLayer,
    sse: BearerLayer,
    metadata: Router,
}

impl Doors {
    fn new(
        settings: &Settings,
        base: &Base,
        endpoint: &Endpoint<Everything>,
        verifier: &Arc<dyn TokenVerifier>,
    ) -> Self {
        let [mcp, sse, whole] = ["/mcp", "/sse", ""].map(|path| resource(settings, path));
        // Clients as old as this transport name no resource, and are given a token for the usual one.
        let sse = Arc::new(ProtectedResource::clone(&sse).accepting(mcp.resource()));
        let proofs = proofs(settings, base);
        let held = Arc::new(Held(endpoint.clone()));
        let door = |resource: &Arc<ProtectedResource>| {
            BearerLayer::new(Arc::clone(verifier), Arc::clone(resource), proofs.clone())
                .while_away(Arc::clone(&held) as _)
        };
        let metadata = protected_resource_metadata([&*mcp, &*sse, &*whole]);
        Self { mcp: door(&mcp), sse: door(&sse), metadata }
    }
}
