//! A request: it is accepted when whoever looks after its session would notice its loss.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use mcp_everything_store::{Handshake, Owner, Pushed, SessionId, Transport, witnessed};
use rmcp::{
    ServerHandler,
    model::{RequestId, ServerJsonRpcMessage},
};
use tracing::Instrument as _;

use super::{handshake, reach};
use crate::{
    call::{Outgoing, Promoted, Waiting},
    faults::Fault,
    http::Refusal,
    scope::{ring, to_bytes},
    shared::Shared,
    wire::call::{Asked, Caller, begin},
};

/// A message, and where it belongs.
pub(super) struct Received {
    pub(super) owner: Owner,
    pub(super) session: SessionId,
    pub(super) handshake: Option<Arc<Handshake>>,
    pub(super) parts: Parts,
    pub(super) body: Bytes,
}

/// Accepts a request. What comes of it goes to the event stream, what is wrong with it included.
pub(super) async fn accept<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    received: Received,
    id: RequestId,
    method: String,
) -> Result<(), Refusal> {
    reach::stream(shared, received.session, &id).await?;
    // A client that does not wait for the 202 waits for the answer all the same.
    let accepting = {
        let (shared, id) = (Arc::clone(shared), id.clone());
        let request = shared.requests.token();
        async move {
            let _request = request;
            serve(&shared, received, &id, &method).await
        }
    };
    let accepted = tokio::spawn(witnessed(accepting).in_current_span()).await;
    accepted.unwrap_or(Err(Refusal::Internal { id: Some(id) }))
}

async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    received: Received,
    id: &RequestId,
    method: &str,
) -> Result<(), Refusal> {
    let session = received.session;
    let served = if method == "initialize" && received.handshake.is_none() {
        handshake::serve(shared, received, id).await
    } else {
        call(shared, received, id, method).await
    };
    match served {
        Ok(()) => Ok(()),
        Err(refusal) => tell(shared, session, refusal).await,
    }
}

/// Starts a call and lets its events go to the session's stream. It is open in the store when this
/// returns: if its instance dies, the stream says so.
async fn call<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    received: Received,
    id: &RequestId,
    method: &str,
) -> Result<(), Refusal> {
    let Received { owner, session, handshake, parts, body } = received;
    let agreed = match handshake {
        Some(agreed) => agreed,
        None => handshake::without(shared, &owner, session, &parts, method, Some(id)).await?,
    };
    let caller = Caller { owner: &owner, session, transport: Transport::HttpSse, agreed: &agreed };
    let started = begin(shared, caller, parts, Asked { id, method, body: &body })?;
    let mut waiting = Waiting::new(shared, started);
    let first = match waiting.first().await {
        Ok(Some(Outgoing::Fault(Fault::Respond(response)))) => {
            waiting.done();
            return Err(Refusal::Instead(response));
        }
        // The server goes away, and takes the call with it.
        Ok(None) => {
            waiting.done();
            return Err(Refusal::Unavailable { id: Some(id.clone()) });
        }
        Ok(first) => first,
        Err(_) => None,
    };
    waiting.promote(first, Promoted::Standalone).await
}

/// Tells a client on its stream, where it waits for an answer, what is wrong with its message. That
/// this server cannot, or that there is no such stream, is said in HTTP.
pub(super) async fn tell<H>(
    shared: &Shared<H>,
    session: SessionId,
    refusal: Refusal,
) -> Result<(), Refusal> {
    if refusal.is_the_servers()
        || matches!(
            refusal,
            Refusal::SessionNotFound { .. } | Refusal::StreamFull { .. } | Refusal::Instead(_)
        )
    {
        return Err(refusal);
    }
    tracing::debug!(event = "mcp.refused", reason = %refusal, "a request was refused");
    let error = refusal.into_error();
    let id = error.id.clone();
    push(shared, session, id.as_ref(), to_bytes(&ServerJsonRpcMessage::Error(error))).await
}

/// Adds an answer to the stream.
pub(super) async fn push<H>(
    shared: &Shared<H>,
    session: SessionId,
    id: Option<&RequestId>,
    data: Bytes,
) -> Result<(), Refusal> {
    match shared.store.push(session, data).await {
        Ok(Pushed::Kept { holder }) => {
            ring(&*shared.bus, session, holder).await;
            Ok(())
        }
        Ok(Pushed::Full) => Err(Refusal::StreamFull { id: id.cloned() }),
        Ok(Pushed::Gone) => Err(Refusal::SessionNotFound { id: id.cloned() }),
        Err(error) => Err(Refusal::store(&error, id.cloned())),
    }
}
