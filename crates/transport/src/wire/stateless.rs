//! Revisions without sessions: each request for itself.
//!
//! Nothing is kept of such a call. Its answer goes back alone if that is all it says, and else as the
//! last event of a stream, whose end is the call's.

mod stream;

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, StatusCode, request::Parts};
use mcp_everything_store::{Owner, Transport};
use rmcp::{
    ServerHandler,
    model::{
        ClientJsonRpcMessage, ErrorCode, ErrorData, JsonRpcError, JsonRpcMessage, ProtocolVersion,
        RequestId, ServerJsonRpcMessage,
    },
};

use super::post::accepted;
use crate::{
    call::{CUT_SHORT, Outgoing, Start, Started, said, start},
    faults::{Fault, nothing},
    http::{Refusal, bytes_response, json_response},
    message::{self, Envelope, Kind, Meta, Wire, check_task_ids},
    mirrored::{check_method, check_name, check_version},
    shared::Shared,
};

const LISTEN: &str = "subscriptions/listen";

/// What a client said.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) envelope: &'a Envelope<'a>,
    pub(super) meta: &'a Meta<'a>,
    pub(super) body: &'a [u8],
}

pub(super) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    owner: &Owner,
    parts: Parts,
    said: Said<'_>,
) -> Result<Response, Refusal> {
    match &said.envelope.kind {
        // Whatever version its metadata names: the handshake is the other wire's.
        Kind::Request { id, method } if method == "initialize" => {
            let error = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "initialize", None);
            Ok(json_response(StatusCode::NOT_FOUND, &JsonRpcError::new(Some(id.clone()), error)))
        }
        Kind::Request { id, method } => {
            let started = begin(shared, owner, parts, id, method, said)?;
            answer(shared, started, id, method).await
        }
        // This revision has none that a client sends here; what comes is accepted all the same.
        Kind::Notification { method } => {
            let mismatch = |reason| Refusal::HeaderMismatch { id: None, reason };
            check_method(&parts.headers, method).map_err(mismatch)?;
            Ok(accepted())
        }
        // "The client MUST NOT send JSON-RPC responses."
        Kind::Response { .. } | Kind::Error { .. } => {
            let reason = "this protocol version has no requests to clients to answer".to_owned();
            Err(Refusal::InvalidRequest { id: None, reason })
        }
    }
}

fn begin<H: ServerHandler>(
    shared: &Shared<H>,
    owner: &Owner,
    parts: Parts,
    id: &RequestId,
    method: &str,
    said: Said<'_>,
) -> Result<Started, Refusal> {
    let version = checked(shared, &parts.headers, id, method, said.meta)?;
    let has_headers = version >= ProtocolVersion::STANDARD_HEADERS;
    let mismatch = |reason| Refusal::HeaderMismatch { id: Some(id.clone()), reason };
    if has_headers {
        check_method(&parts.headers, method).map_err(mismatch)?;
    }
    let invalid = |reason| Refusal::InvalidParams { id: Some(id.clone()), reason };
    let request = message::request(Wire::Stateless, method, said.body).map_err(invalid)?;
    if has_headers {
        check_name(&parts.headers, &request).map_err(mismatch)?;
    }
    check_task_ids(id, method, said.envelope.params)?;
    let message = ClientJsonRpcMessage::request(request, id.clone());
    let transport = Transport::StreamableHttp;
    let mut started = start(shared, Start { session: None, transport, owner, message, parts })
        .map_err(|_| Refusal::Internal { id: Some(id.clone()) })?;
    if method == LISTEN {
        // It is no short call.
        started.set_apart();
    }
    Ok(started)
}

/// The version that a request names in its metadata and, the same, in its headers.
fn checked<H>(
    shared: &Shared<H>,
    headers: &HeaderMap,
    id: &RequestId,
    method: &str,
    meta: &Meta<'_>,
) -> Result<ProtocolVersion, Refusal> {
    let missing = |missing| Refusal::MetaMissing { id: id.clone(), missing };
    let Some(version) = meta.version() else { return Err(missing(meta.missing())) };
    let mismatch = |reason| Refusal::HeaderMismatch { id: Some(id.clone()), reason };
    check_version(headers, version.as_str()).map_err(mismatch)?;
    // Before anything that another version may have otherwise.
    if !shared.versions.contains(&version) {
        let requested = message::bounded(version.as_str());
        return Err(Refusal::UnsupportedVersion { id: Some(id.clone()), requested });
    }
    if method == "server/discover" || !version.has_initialize() {
        let left_out = meta.missing();
        if !left_out.is_empty() {
            return Err(missing(left_out));
        }
    }
    Ok(version)
}

/// The answer, or the stream that it comes on.
async fn answer<H>(
    shared: &Shared<H>,
    mut started: Started,
    id: &RequestId,
    method: &str,
) -> Result<Response, Refusal> {
    let call = Arc::clone(&started.call);
    let first = tokio::select! {
        biased;
        first = started.next() => first,
        // What a revoked grant set off ends with it.
        () = call.lease.revoked() => {
            return Ok(bytes_response(StatusCode::OK, said(id, CUT_SHORT).into()));
        }
        () = shared.cut.cancelled() => None,
    };
    match first {
        Some(Outgoing::Message { message, last: true }) => {
            Ok(json_response(status(&message), &*message))
        }
        Some(Outgoing::Fault(Fault::Respond(response))) => Ok(*response),
        // Nobody who is killed says anything first.
        Some(Outgoing::Fault(Fault::Die)) => Ok(nothing()),
        Some(first) if method == LISTEN => Ok(stream::of_listener(shared, started, first)),
        Some(first) => Ok(stream::of_call(shared, started, first)),
        // The server goes away, and takes the call with it.
        None => Err(Refusal::Unavailable { id: Some(id.clone()) }),
    }
}

/// What these revisions have an error sent with, where nothing was sent before it.
fn status(answer: &ServerJsonRpcMessage) -> StatusCode {
    let JsonRpcMessage::Error(error) = answer else { return StatusCode::OK };
    match error.error.code {
        ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
        | ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY
        | ErrorCode::HEADER_MISMATCH => StatusCode::BAD_REQUEST,
        ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    }
}
