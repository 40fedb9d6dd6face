//! `initialize`: the session, which began with its stream, gets its handshake.

use std::sync::Arc;

use http::request::Parts;
use mcp_everything_store::{Handshake, Owner, SessionId, Settled, Transport};
use rmcp::{
    ServerHandler,
    model::{Implementation, ProtocolVersion, RequestId},
};
use serde_json::json;

use super::request::{Received, push};
use crate::{
    http::Refusal,
    message::{VersionHeader, Wire},
    scope::to_bytes,
    shared::Shared,
    wire::initialize::{Negotiated, log_start, negotiate},
};

pub(super) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    received: Received,
    id: &RequestId,
) -> Result<(), Refusal> {
    let Received { owner, session, parts, body, .. } = received;
    let transport = Transport::HttpSse;
    let Negotiated { answer, handshake, client } =
        negotiate(shared, &owner, transport, parts, id, &body).await?;
    if let Some(handshake) = handshake {
        settle(shared, session, handshake.clone(), Some(id)).await?;
        log_start(session, &owner, &client, &handshake);
    }
    push(shared, session, Some(id), to_bytes(&answer)).await
}

async fn settle<H>(
    shared: &Shared<H>,
    session: SessionId,
    handshake: Handshake,
    id: Option<&RequestId>,
) -> Result<(), Refusal> {
    match shared.store.settle(session, handshake).await {
        Ok(Settled::Done) => Ok(()),
        Ok(Settled::Already) => {
            let reason = "this session is initialized already".to_owned();
            Err(Refusal::InvalidRequest { id: id.cloned(), reason })
        }
        Ok(Settled::Gone) => Err(Refusal::SessionNotFound { id: id.cloned() }),
        Err(error) => Err(Refusal::store(&error, id.cloned())),
    }
}

/// What a message is served by that comes without a handshake.
///
/// A client that names its version in the header has had one: the TypeScript SDK comes back to a
/// stream that was cut without `Last-Event-ID`, is given a new session, and goes on in it as
/// before. The session is settled as that of a client without capabilities. Otherwise only a
/// `ping` may come ("Initialization"), and what this transport does not have, so that it is called
/// unknown.
pub(super) async fn without<H>(
    shared: &Shared<H>,
    owner: &Owner,
    session: SessionId,
    parts: &Parts,
    method: &str,
    id: Option<&RequestId>,
) -> Result<Arc<Handshake>, Refusal> {
    if let VersionHeader::Stateful(version) = VersionHeader::of(&parts.headers) {
        let client = Implementation::new("unknown", "");
        let handshake = assumed(version, &client);
        settle(shared, session, handshake.clone(), id).await?;
        log_start(session, owner, &client, &handshake);
        return Ok(Arc::new(handshake));
    }
    if method == "ping" || !Wire::Stateful.has(method) {
        let version = ProtocolVersion::V_2024_11_05;
        return Ok(Arc::new(assumed(version.as_str(), &Implementation::new("unknown", ""))));
    }
    Err(not_initialized(id))
}

fn assumed(version: &str, client: &Implementation) -> Handshake {
    let initialize =
        json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
    Handshake { initialize: initialize.to_string().into(), protocol_version: version.into() }
}

pub(super) fn not_initialized(id: Option<&RequestId>) -> Refusal {
    let reason = "this session is not initialized: send `initialize` first".to_owned();
    Refusal::InvalidRequest { id: id.cloned(), reason }
}
