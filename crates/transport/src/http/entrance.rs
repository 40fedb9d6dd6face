//! What every endpoint asks of a request before it looks at it.

use axum::{body::Body, response::Response};
use http::{Request, header, request::Parts};
use mcp_everything_store::{Owner, Random};

use super::Refusal;
use crate::Config;

/// Lets a request in that names an allowed host, comes from an allowed origin, and whose caller is
/// known.
pub(crate) fn enter(
    config: &Config,
    request: Request<Body>,
) -> Result<(Owner, Parts, Body), Refusal> {
    if !config.hosts.allows(request.uri(), request.headers()) {
        let (host, refusal) = (request.headers().get(header::HOST), config.hosts.refused());
        tracing::warn!(
            event = "mcp.host_refused",
            host = host.map(|host| String::from_utf8_lossy(host.as_bytes())).as_deref(),
            "{refusal}"
        );
        return Err(refusal);
    }
    if !config.origins.allows(request.headers()) {
        let (origin, refusal) = (request.headers().get(header::ORIGIN), config.origins.refused());
        tracing::warn!(
            event = "mcp.origin_refused",
            origin = origin.map(|origin| String::from_utf8_lossy(origin.as_bytes())).as_deref(),
            "{refusal}"
        );
        return Err(refusal);
    }
    let (parts, body) = request.into_parts();
    let owner = parts.extensions.get::<Owner>().cloned().ok_or_else(|| {
        tracing::error!(event = "error", "a request reached the endpoint without an Owner");
        Refusal::Internal { id: None }
    })?;
    Ok((owner, parts, body))
}

/// The answer, or what a refused request is told.
pub(crate) fn answered(answer: Result<Response, Refusal>, random: &dyn Random) -> Response {
    answer.unwrap_or_else(|refusal| {
        tracing::debug!(event = "mcp.refused", reason = %refusal, "a request was refused");
        refusal.respond(random)
    })
}
