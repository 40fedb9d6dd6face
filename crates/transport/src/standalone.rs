//! The standalone stream of a session: GET without `Last-Event-ID`, or with one of its own.
//!
//! The stream is no task: it is what the connection polls, and it sleeps between bells.

mod open;
mod stream;

use std::sync::Arc;

use axum::response::Response;
use futures::stream::unfold;
use http::request::Parts;
use mcp_everything_store::{Claim, SessionId};
use rmcp::ServerHandler;

pub(crate) use self::open::OpenStreams;
use self::stream::Stream;
use crate::{
    call::EventId,
    http::{Refusal, SseEvent, event_stream},
    shared::Shared,
};

pub(crate) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    session: SessionId,
    primes: bool,
    claim: Claim,
    parts: &Parts,
) -> Result<Response, Refusal> {
    let lease = shared.grants.lease(&parts.extensions, &*shared.clock);
    let mut stream = Stream::register(Arc::clone(shared), session, lease);
    let position = match stream.claim(claim).await {
        Ok(Some(position)) => position,
        Ok(None) => return Err(Refusal::SessionNotFound { id: None }),
        Err(error) => return Err(Refusal::store(&error, None)),
    };
    let resumed = matches!(claim, Claim::Take(Some(_)));
    tracing::info!(event = "stream.opened", %session, resumed, "a standalone stream opened");
    let id = EventId::Standalone(position).to_string();
    stream.open_with(SseEvent::opening(primes, &id, shared.config.retry));
    let events = unfold(stream, |mut stream| async move { Some((stream.next().await?, stream)) });
    Ok(event_stream(events, shared.config.keep_alive))
}
