//! The handshake: `initialize` makes a session.

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use http::{HeaderValue, StatusCode, request::Parts};
use mcp_everything_store::{Handshake, Owner, Session, SessionId, Transport};
use rmcp::{
    ServerHandler,
    model::{
        ClientJsonRpcMessage, ClientRequest, CustomResult, Implementation, InitializeRequestParams,
        JsonRpcMessage, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult,
    },
};
use serde::Deserialize;

use super::session;
use crate::{
    away::Patience,
    call::{Outgoing, Start, start},
    http::{Refusal, json_response, pace_session},
    message::{self, Wire},
    shared::Shared,
};

/// How long a handler may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    owner: &Owner,
    parts: Parts,
    id: &RequestId,
    body: &[u8],
) -> Result<Response, Refusal> {
    pace_session(&shared.config, owner, Some(id)).await?;
    let transport = Transport::StreamableHttp;
    let negotiated = negotiate(shared, owner, transport, parts, id, body).await?;
    let mut response = json_response(StatusCode::OK, &negotiated.answer);
    let Some(handshake) = negotiated.handshake else { return Ok(response) };
    let session = SessionId::random(&*shared.random);
    let handshake = Arc::new(handshake);
    let new = Session { owner: owner.clone(), transport, handshake: Some(Arc::clone(&handshake)) };
    Patience::none(&shared.away)
        .ask(|| shared.store.create(session, new.clone()))
        .await
        .map_err(|error| Refusal::store(&error, Some(id.clone())))?;
    log_start(session, owner, &negotiated.client, &handshake);
    if let Ok(value) = HeaderValue::try_from(session.to_string()) {
        response.headers_mut().insert(session::HEADER, value);
    }
    Ok(response)
}

/// What came of an `initialize`.
pub(crate) struct Negotiated {
    pub(crate) answer: ServerJsonRpcMessage,
    /// `None` if the handler refused the client.
    pub(crate) handshake: Option<Handshake>,
    /// Who the client says it is.
    pub(crate) client: Implementation,
}

/// Lets the handler answer `initialize`, and settles the version.
pub(crate) async fn negotiate<H: ServerHandler>(
    shared: &Shared<H>,
    owner: &Owner,
    transport: Transport,
    parts: Parts,
    id: &RequestId,
    body: &[u8],
) -> Result<Negotiated, Refusal> {
    let invalid = |reason| Refusal::InvalidParams { id: Some(id.clone()), reason };
    let request = message::request(Wire::Stateful, "initialize", body).map_err(invalid)?;
    let ClientRequest::InitializeRequest(initialize) = &request else {
        return Err(Refusal::Internal { id: Some(id.clone()) });
    };
    let params = initialize.params.clone();
    let kept = kept(shared, body, id)?;
    let (untyped, version) = (shared.config.untyped, params.protocol_version.as_str());
    let request =
        message::handed_over(untyped, version, "initialize", request, body).map_err(invalid)?;
    if transport == Transport::StreamableHttp {
        same_version(&parts, &params, id)?;
    }

    let message = ClientJsonRpcMessage::request(request, id.clone());
    let mut started = start(shared, Start { session: None, transport, owner, message, parts })
        .map_err(|_| Refusal::Internal { id: Some(id.clone()) })?;
    let answer = async {
        loop {
            match started.next().await {
                Some(Outgoing::Message { message, last: true }) => return Some(*message),
                // Before its answer there is no session yet that could carry anything.
                Some(Outgoing::Message { last: false, .. } | Outgoing::Fault(_)) => {}
                None => return None,
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, answer).await.ok().flatten();
    drop(started);
    let mut answer = answer.ok_or_else(|| Refusal::Internal { id: Some(id.clone()) })?;

    let agreed = agree(&mut answer, &params.protocol_version, &shared.versions);
    let handshake = agreed.map(|protocol_version| Handshake { initialize: kept, protocol_version });
    Ok(Negotiated { answer, handshake, client: params.client_info })
}

/// Says in the log that a session started.
pub(crate) fn log_start(
    session: SessionId,
    owner: &Owner,
    client: &Implementation,
    handshake: &Handshake,
) {
    tracing::info!(event = "session.started", %session, user_id = owner.user,
        client_id = owner.client, client_name = client.name, client_version = client.version,
        version = %handshake.protocol_version, "a session started");
}

/// The client's parameters, as they are kept: with what rmcp has no types for, without spaces.
fn kept<H>(shared: &Shared<H>, body: &[u8], id: &RequestId) -> Result<Arc<str>, Refusal> {
    #[derive(Deserialize)]
    struct Message {
        params: serde_json::Value,
    }
    let message: Message =
        serde_json::from_slice(body).map_err(|_| Refusal::Internal { id: Some(id.clone()) })?;
    let text = message.params.to_string();
    let limit = shared.config.max_initialize_bytes;
    if text.len() > limit {
        let reason = format!("the parameters of `initialize` are larger than {limit} bytes");
        return Err(Refusal::InvalidRequest { id: Some(id.clone()), reason });
    }
    Ok(text.into())
}

/// A client that names its version in the header as well must name the same.
fn same_version(
    parts: &Parts,
    params: &InitializeRequestParams,
    id: &RequestId,
) -> Result<(), Refusal> {
    let Some(header) = parts.headers.get("mcp-protocol-version") else {
        return Ok(());
    };
    let version = params.protocol_version.as_str();
    if header.as_bytes() == version.as_bytes() {
        return Ok(());
    }
    let reason =
        "the MCP-Protocol-Version header and `params.protocolVersion` name different versions";
    Err(Refusal::InvalidRequest { id: Some(id.clone()), reason: reason.to_owned() })
}

/// Settles the version of an answer. `None` if the handler refused the client.
fn agree(
    answer: &mut ServerJsonRpcMessage,
    requested: &ProtocolVersion,
    supported: &[ProtocolVersion],
) -> Option<Arc<str>> {
    let JsonRpcMessage::Response(response) = answer else {
        return None;
    };
    let agreed = settle(&mut response.result, requested, supported)?;
    Some(agreed.as_str().into())
}

/// Settles the version ("Version Negotiation"): the client's if this server speaks it over a
/// handshake, else one that it does. `None` if there is none, or this is no answer to a handshake.
pub(crate) fn settle(
    result: &mut ServerResult,
    requested: &ProtocolVersion,
    supported: &[ProtocolVersion],
) -> Option<ProtocolVersion> {
    let answered = answered(result)?;
    let agreed = if requested.has_initialize() && supported.contains(requested) {
        requested.clone()
    } else if answered.has_initialize() {
        answered
    } else {
        let newest = supported.iter().filter(|version| version.has_initialize());
        newest.max_by_key(|version| version.as_str().to_owned())?.clone()
    };
    match result {
        ServerResult::InitializeResult(result) => result.protocol_version = agreed.clone(),
        ServerResult::CustomResult(CustomResult(result)) => {
            result["protocolVersion"] = agreed.as_str().into();
        }
        _ => return None,
    }
    Some(agreed)
}

/// The version in an answer to `initialize`.
pub(crate) fn answered(result: &ServerResult) -> Option<ProtocolVersion> {
    match result {
        ServerResult::InitializeResult(result) => Some(result.protocol_version.clone()),
        ServerResult::CustomResult(CustomResult(result)) => {
            serde_json::from_value(result.get("protocolVersion")?.clone()).ok()
        }
        _ => None,
    }
}
