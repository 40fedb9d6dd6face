//! DELETE: a client ends its session.

use axum::response::Response;
use http::{Method, StatusCode, request::Parts};
use mcp_everything_store::{Bell, Owner, Ring};

use super::session;
use crate::{
    away::Patience,
    http::Refusal,
    message::{VersionHeader, Wire},
    shared::Shared,
};

pub(crate) async fn serve<H>(
    shared: &Shared<H>,
    owner: &Owner,
    parts: &mut Parts,
) -> Result<Response, Refusal> {
    if Wire::of_header(VersionHeader::of(&parts.headers), None)? == Wire::Stateless {
        return Err(Refusal::MethodNotAllowed(Method::DELETE, "POST"));
    }
    let mut patience = Patience::of(&shared.away, &mut parts.extensions);
    // One of the other transport is none here.
    let (session, _) = session::admit(shared, owner, &parts.headers, None, &mut patience).await?;
    let deleted = patience.ask(|| shared.store.delete(session, owner)).await;
    let deleted = deleted.map_err(|error| Refusal::store(&error, None))?;
    // Of what was asked before nobody knows the outcome: it may have been this that ended it.
    if !deleted && !patience.repeated() {
        return Err(Refusal::SessionNotFound { id: None });
    }
    shared.end_session(session);
    // The session is gone whether or not the others hear of it at once: each of their requests
    // asks the store, and what they hold open ends when it is next prolonged.
    if let Err(error) = shared.bus.ring(Ring::All, Bell::Ended(session)).await {
        tracing::warn!(event = "bus.unavailable", %error, "the end of a session was not announced");
    }
    tracing::info!(event = "session.ended", %session, user_id = owner.user, "a client ended its session");
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
