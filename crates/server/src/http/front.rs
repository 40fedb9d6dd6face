//! What stands before every route: one service, and not a layer of the router for each part. A
//! router copies all layers of a route for each request.

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    response::Response,
};
use mcp_everything_transport::{HostPolicy, OriginPolicy};
use tower::Service as _;

use super::{
    Requests, Site, cors::Cors, hosts, panic::answered, path, people::Visit,
    security_headers::secure,
};

/// A server, whole but for its connections: logs each request, lets in those for hosts of this
/// server, answers preflights, panics and people, and completes the headers of every response.
#[derive(Clone)]
pub(crate) struct Front(Arc<Inner>);

/// A response on its way.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

struct Inner {
    requests: Requests,
    hosts: HostPolicy,
    cors: Cors,
    routes: Router,
    site: Site,
}

impl Front {
    pub(crate) fn new(
        routes: Router,
        requests: Requests,
        hosts: HostPolicy,
        origins: OriginPolicy,
        site: Site,
    ) -> Self {
        Self(Arc::new(Inner { requests, hosts, cors: Cors(origins), routes, site }))
    }

    /// Answers a request of a peer. It is boxed, so that a connection does not keep the room for it
    /// while there is none.
    pub(crate) fn answer(&self, peer: SocketAddr, mut request: Request) -> Answer {
        let front = self.clone();
        Box::pin(async move {
            path::trim(request.uri_mut());
            request.extensions_mut().insert(ConnectInfo(peer));
            front.logged(peer, request).await
        })
    }

    async fn logged(&self, peer: SocketAddr, request: Request) -> Response {
        let Inner { requests, hosts, .. } = &*self.0;
        let routed = async |request: Request| {
            let mut response = match hosts::refused(hosts, &request) {
                Some(refusal) => refusal,
                None => self.routed(request).await,
            };
            secure(response.headers_mut());
            response
        };
        requests.log(peer, request, routed).await
    }

    async fn routed(&self, request: Request) -> Response {
        let Inner { cors, routes, site, .. } = &*self.0;
        let reader = cors.reader(&request);
        if let Some(answer) = reader.preflight(&request) {
            return answer;
        }
        let visit = Visit::of(&request);
        // A router is always ready.
        let mut routes = routes.clone();
        let mut response = answered(async { routes.call(request).await }).await;
        reader.named_in(response.headers_mut());
        match visit {
            Some(visit) => visit.answered(response, site).await,
            None => response,
        }
    }
}
