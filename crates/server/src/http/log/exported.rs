//! The span of an HTTP request, by the semantic conventions of OpenTelemetry.
//!
//! Of the path only what it begins with, if that is known: an id in it is whoever's it is, and an unknown
//! path may hold anything.

use std::net::IpAddr;

use axum::extract::Request;
use http::{Method, StatusCode};
use mcp_everything_store::spans::{self, TARGET};
use tracing::{Span, field::Empty};

use crate::metrics::Route;

/// Begins it, unless it is one of those that come again and again and tell nothing. It lies within the
/// span of the request's log lines, so that they have what that says.
pub(super) fn begin(request: &Request, address: IpAddr, log: &Span) -> Span {
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics") {
        return Span::none();
    }
    tracing::info_span!(
        target: TARGET,
        parent: log,
        "request",
        otel.name = request.method().as_str(),
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = Empty,
        http.response.status_code = Empty,
        client.address = %address,
        network.protocol.version = "1.1",
        error.type = Empty,
        otel.status_code = Empty,
    )
}

pub(super) fn end(span: &Span, method: &Method, path: &str, status: StatusCode) {
    if span.is_disabled() {
        return;
    }
    let code = i64::from(status.as_u16());
    span.record("http.response.status_code", code);
    let route = Route::of(path);
    if route != Route::Other {
        span.record("http.route", route.as_str());
        spans::rename(span, format!("{method} {}", route.as_str()));
    }
    if status.is_server_error() {
        span.record("error.type", code.to_string());
        span.record("otel.status_code", "ERROR");
    }
}
