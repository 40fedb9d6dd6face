//! What stands before every route: one service, and not a layer of the router for each part. A
//! router copies all layers of a route for each request.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use mcp_everything_transport::{HostPolicy, OriginPolicy};
use tower::{Layer as _, Service, ServiceExt as _};
use tower_http::{
    catch_panic::CatchPanic,
    normalize_path::NormalizePath,
    timeout::{RequestBodyTimeout, RequestBodyTimeoutLayer},
};

use super::{
    Requests, Site,
    cors::Cors,
    hosts,
    panic::{Answer, catch_panics},
    people::Visit,
    security_headers::secure,
};

/// How long the next piece of a request's body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

type Routes = CatchPanic<RequestBodyTimeout<Router>, Answer>;

/// A server, whole but for its connections: logs each request, lets in those for hosts of this
/// server, answers preflights, panics and people, and completes the headers of every response.
#[derive(Clone)]
pub(crate) struct Front(Arc<Inner>);

struct Inner {
    requests: Requests,
    hosts: HostPolicy,
    cors: Cors,
    routes: Routes,
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
        let routes = RequestBodyTimeoutLayer::new(BODY_TIMEOUT).layer(routes);
        let routes = catch_panics().layer(routes);
        Self(Arc::new(Inner { requests, hosts, cors: Cors(origins), routes, site }))
    }

    /// The server, for one connection. A slash at the end of a path means nothing: people add one
    /// to a URL, and some clients say no more of a 404 than that there is one.
    pub(crate) fn for_peer(&self, peer: SocketAddr) -> NormalizePath<FrontOf> {
        NormalizePath::trim_trailing_slash(FrontOf { front: self.clone(), peer })
    }

    async fn answer(&self, peer: SocketAddr, request: Request) -> Response {
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
        let mut response = match routes.clone().oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        };
        reader.named_in(response.headers_mut());
        match visit {
            Some(visit) => visit.answered(response, site).await,
            None => response,
        }
    }
}

/// [`Front`], as one connection sees it.
#[derive(Clone)]
pub(crate) struct FrontOf {
    front: Front,
    peer: SocketAddr,
}

impl Service<Request> for FrontOf {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let Self { front, peer } = self.clone();
        request.extensions_mut().insert(ConnectInfo(peer));
        Box::pin(async move { Ok(front.answer(peer, request).await) })
    }
}
