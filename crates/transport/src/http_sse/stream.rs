//! GET: the event stream, new or gone on with.

use std::sync::Arc;

use axum::response::Response;
use http::request::Parts;
use mcp_everything_store::{Claim, Owner, Session, SessionId, Transport};
use rmcp::ServerHandler;

use super::StreamEventId;
use crate::{
    away::Patience,
    http::{Refusal, accepts_event_stream, pace_session},
    shared::Shared,
    standalone::{self, Beginning},
};

pub(super) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    message: &str,
    owner: &Owner,
    parts: &mut Parts,
) -> Result<Response, Refusal> {
    if !accepts_event_stream(&parts.headers) {
        return Err(Refusal::GetNotAcceptable);
    }
    let patience = &mut Patience::of(&shared.away, &mut parts.extensions);
    let (session, claim) = match left(shared, owner, parts, patience).await? {
        Some(left) => (left.session, Claim::Take(Some(left.position))),
        None => (begin(shared, owner, patience).await?, Claim::Take(None)),
    };
    let beginning = Beginning::HttpSse { url: format!("{message}?sessionId={session}") };
    standalone::serve(shared, session, beginning, claim, parts, patience).await
}

/// Where the caller was cut off, if it comes back to a session that lives and is its own. Any other
/// begins a new one: to an `EventSource` every refusal is final.
async fn left<H>(
    shared: &Shared<H>,
    owner: &Owner,
    parts: &Parts,
    patience: &mut Patience<'_>,
) -> Result<Option<StreamEventId>, Refusal> {
    let id = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let Some(left) = id.and_then(StreamEventId::parse) else { return Ok(None) };
    let admitted = patience.ask(|| shared.store.admit(left.session, owner)).await;
    let session = admitted.map_err(|error| Refusal::store(&error, None))?;
    Ok(session.filter(|session| session.transport == Transport::HttpSse).map(|_| left))
}

/// A new session. It is there before its client is told of it.
async fn begin<H>(
    shared: &Shared<H>,
    owner: &Owner,
    patience: &mut Patience<'_>,
) -> Result<SessionId, Refusal> {
    pace_session(&shared.config, owner, None).await?;
    let id = SessionId::random(&*shared.random);
    let transport = Transport::HttpSse;
    let session = Session { owner: owner.clone(), transport, handshake: None };
    let created = patience.ask(|| shared.store.create(id, session.clone())).await;
    created.map_err(|error| Refusal::store(&error, None))?;
    Ok(id)
}
