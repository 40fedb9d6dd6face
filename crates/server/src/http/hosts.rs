//! The Host header, on every route but the health checks and the metrics: a page that has pointed a name of its
//! own at this server reaches nothing (DNS rebinding).

use axum::{
    Extension,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use mcp_everything_store::Refused;
use mcp_everything_transport::HostPolicy;

use super::{health, metrics};

/// Balancers ask each instance by its address, and so does Prometheus.
const BY_ANY_NAME: [&str; 3] = [health::PATHS[0], health::PATHS[1], metrics::PATH];

/// What is said to a request that names no host of this server.
pub(super) fn refused(hosts: &HostPolicy, request: &Request) -> Option<Response> {
    let path = request.uri().path();
    if BY_ANY_NAME.contains(&path) || hosts.allows(request.uri(), request.headers()) {
        return None;
    }
    let host = request.headers().get(http::header::HOST);
    tracing::warn!(
        event = "http.host_refused",
        host = host.map(|host| String::from_utf8_lossy(host.as_bytes())).as_deref(),
        "the Host header names no host of this server; add it to ALLOWED_HOSTS if it is yours"
    );
    if path == "/mcp" {
        return Some(hosts.refusal());
    }
    let body = "the Host header names no host of this server; if it is yours, add it to \
                ALLOWED_HOSTS, and BASE_URI is the URL that clients use\n";
    let refusal = (StatusCode::FORBIDDEN, Extension(Refused("host_not_allowed")), body);
    Some(refusal.into_response())
}
