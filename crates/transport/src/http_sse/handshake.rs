//! `initialize`: the session, which began with its stream, gets its handshake.

use std::sync::Arc;

use http::HeaderMap;
use mcp_everything_store::{Handshake, SessionId, Settled, Transport};
use rmcp::{
    ServerHandler,
    model::{ProtocolVersion, RequestId},
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
        settle(shared, session, handshake.clone(), id).await?;
        log_start(session, &owner, &client, &handshake);
    }
    push(shared, session, Some(id), to_bytes(&answer)).await
}

async fn settle<H>(
    shared: &Shared<H>,
    session: SessionId,
    handshake: Handshake,
    id: &RequestId,
) -> Result<(), Refusal> {
    let id = Some(id.clone());
    match shared.store.settle(session, handshake).await {
        Ok(Settled::Done) => Ok(()),
        Ok(Settled::Already) => {
            let reason = "this session is initialized already".to_owned();
            Err(Refusal::InvalidRequest { id, reason })
        }
        Ok(Settled::Gone) => Err(Refusal::SessionNotFound { id }),
        Err(error) => Err(Refusal::store(&error, id)),
    }
}

/// What a request is served by that comes before any handshake; `None` if it may not come.
///
/// A `ping` may ("Initialization"), and so may what this transport does not have and any server
/// calls unknown. And a client that names a version in the header has had its handshake: the
/// TypeScript SDK comes back to a stream that was cut without `Last-Event-ID`, is given a new
/// session, and goes on in it as before. It is served as a client without capabilities.
pub(super) fn assumed(headers: &HeaderMap, method: &str) -> Option<Handshake> {
    let version = match VersionHeader::of(headers) {
        VersionHeader::Stateful(version) => version,
        VersionHeader::Absent | VersionHeader::Stateless | VersionHeader::Unknown(_) => {
            if method != "ping" && Wire::Stateful.has(method) {
                return None;
            }
            ProtocolVersion::V_2024_11_05.as_str()
        }
    };
    let initialize = json!({
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": { "name": "unknown", "version": "" }
    });
    Some(Handshake { initialize: initialize.to_string().into(), protocol_version: version.into() })
}
