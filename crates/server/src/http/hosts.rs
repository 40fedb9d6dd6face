//! The Host header, on every route but the health checks: a page that has pointed a name of its
//! own at this server reaches nothing (DNS rebinding).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use mcp_everything_transport::HostPolicy;

pub(crate) type Hosts = Arc<HostPolicy>;

pub(crate) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.allows(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    let host = request.headers().get(http::header::HOST);
    tracing::warn!(
        event = "http.host_refused",
        host = host.map(|host| String::from_utf8_lossy(host.as_bytes())).as_deref(),
        "the Host header names no allowed host; add it to ALLOWED_HOSTS if it is yours"
    );
    if request.uri().path() == "/mcp" {
        return HostPolicy::refusal();
    }
    let body =
        "the Host header names no host of this server; its operator can add it to ALLOWED_HOSTS\n";
    (StatusCode::FORBIDDEN, body).into_response()
}
