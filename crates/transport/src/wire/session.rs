//! Which session a request names, and whether its caller may.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use mcp_everything_store::{Owner, Session, SessionId};
use rmcp::model::RequestId;

use crate::{http::Refusal, shared::Shared};

pub(super) const HEADER: &str = "mcp-session-id";

pub(super) fn named(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(HEADER)
}

/// The id a request names. One that this server could never have given is unknown.
pub(super) fn id(headers: &HeaderMap, request: Option<&RequestId>) -> Result<SessionId, Refusal> {
    let named = named(headers).ok_or_else(|| Refusal::SessionRequired { id: request.cloned() })?;
    let id = named.to_str().ok().and_then(|text| text.parse().ok());
    id.ok_or_else(|| Refusal::SessionNotFound { id: request.cloned() })
}

/// The session a request names, if it lives and is its caller's. This starts its life anew.
pub(super) async fn admit<H>(
    shared: &Shared<H>,
    owner: &Owner,
    headers: &HeaderMap,
    request: Option<&RequestId>,
) -> Result<(SessionId, Arc<Session>), Refusal> {
    let id = id(headers, request)?;
    match shared.store.admit(id, owner).await {
        Ok(Some(session)) => Ok((id, session)),
        Ok(None) => Err(Refusal::SessionNotFound { id: request.cloned() }),
        Err(error) => Err(Refusal::store(&error, request.cloned())),
    }
}
