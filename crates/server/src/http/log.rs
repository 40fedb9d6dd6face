//! One line for each request and its answer.
//!
//! Of the request only what names no secret: never the query, which carries codes and states, and
//! never a header but the ids.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use http::HeaderValue;
use mcp_everything_store::Random;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::Proxies;

/// What the log of requests needs.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(crate) random: Arc<dyn Random>,
    pub(crate) proxies: Proxies,
}

pub(crate) async fn log(
    State(Requests { random, proxies }): State<Requests>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let request_id = random.token::<9>();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let address = proxies.client(peer, request.headers());
    let session = request.headers().get("mcp-session-id").cloned();
    let span = tracing::info_span!("request", request_id);
    async {
        let mut response = next.run(request).await;
        let status = response.status();
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let session = session.as_ref().and_then(|session| session.to_str().ok());
        // An event's level is fixed where it stands.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(event = "http.response", %method, path, status = status.as_u16(),
                    duration_ms, %address, session, "request answered")
            };
        }
        if status.is_server_error() {
            line!(warn);
        } else if path == "/healthz" || path == "/readyz" {
            line!(debug);
        } else {
            line!(info);
        }
        if let Ok(value) = HeaderValue::try_from(request_id.as_str()) {
            response.headers_mut().insert("x-request-id", value);
        }
        response
    }
    .instrument(span)
    .await
}
