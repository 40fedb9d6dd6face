//! Which session a request names, and whether its caller may.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use mcp_everything_store::{Handshake, Owner, SessionId, Transport};
use rmcp::model::RequestId;

use crate::{away::Patience, http::Refusal, shared::Shared};

pub(super) const HEADER: HeaderName = HeaderName::from_static("mcp-session-id");

pub(super) fn named(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(HEADER)
}

/// The id a request names. One that this server could never have given is unknown.
pub(super) fn id(headers: &HeaderMap, request: Option<&RequestId>) -> Result<SessionId, Refusal> {
    let named = named(headers).ok_or_else(|| Refusal::SessionRequired { id: request.cloned() })?;
    let id = named.to_str().ok().and_then(|text| text.parse().ok());
    id.ok_or_else(|| Refusal::SessionNotFound { id: request.cloned() })
}

/// The session a request names, if it lives and is its caller's, and what was agreed on in it.
/// This starts its life anew. A session of the other transport is none here.
pub(super) async fn admit<H>(
    shared: &Shared<H>,
    owner: &Owner,
    headers: &HeaderMap,
    request: Option<&RequestId>,
    patience: &mut Patience<'_>,
) -> Result<(SessionId, Arc<Handshake>), Refusal> {
    let id = id(headers, request)?;
    let admitted = patience.ask(|| shared.store.admit(id, owner)).await;
    let session = admitted.map_err(|error| Refusal::store(&error, request.cloned()))?;
    session
        .filter(|session| session.transport == Transport::StreamableHttp)
        .and_then(|session| session.handshake.clone())
        .map(|handshake| (id, handshake))
        .ok_or_else(|| Refusal::SessionNotFound { id: request.cloned() })
}
