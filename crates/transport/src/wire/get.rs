//! GET: the standalone stream, or the rest of a stream that was cut off.

use std::sync::Arc;

use axum::response::Response;
use http::{Method, request::Parts};
use mcp_everything_store::{Claim, Owner};
use rmcp::ServerHandler;

use super::session;
use crate::{
    away::Patience,
    call::{EventId, primes},
    http::{Refusal, accepts_event_stream},
    message::{VersionHeader, Wire},
    resume,
    shared::Shared,
    standalone::{self, Beginning},
};

pub(crate) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    owner: &Owner,
    parts: &mut Parts,
) -> Result<Response, Refusal> {
    if !accepts_event_stream(&parts.headers) {
        return Err(Refusal::GetNotAcceptable);
    }
    if Wire::of_header(VersionHeader::of(&parts.headers), None)? == Wire::Stateless {
        return Err(Refusal::MethodNotAllowed(Method::GET, "POST"));
    }
    let patience = &mut Patience::of(&shared.away, &mut parts.extensions);
    let (session, agreed) = session::admit(shared, owner, &parts.headers, None, patience).await?;
    let primes = primes(&agreed.protocol_version);
    let Some(last) = parts.headers.get("last-event-id") else {
        let beginning = Beginning::StreamableHttp { primes };
        let claim = Claim::Take(None);
        return standalone::serve(shared, session, beginning, claim, parts, patience).await;
    };
    match last.to_str().ok().and_then(EventId::parse) {
        Some(EventId::Standalone(position)) => {
            let (beginning, claim) =
                (Beginning::StreamableHttp { primes }, Claim::Take(Some(position)));
            standalone::serve(shared, session, beginning, claim, parts, patience).await
        }
        Some(EventId::Call { call, seq, last: false, request }) => {
            let cut = resume::Cut { session, call, seq, request };
            resume::serve(shared, cut, primes, parts, patience).await
        }
        // Clients take a 405 for "no stream here" and stop; a 404 would mean that the session is
        // gone, and an empty stream that they should try again.
        Some(EventId::Call { last: true, .. }) => {
            Err(Refusal::NothingToResume { reason: "that event was the last of its stream" })
        }
        None => {
            Err(Refusal::NothingToResume { reason: "Last-Event-ID is not an id of this server" })
        }
    }
}
