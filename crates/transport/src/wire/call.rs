//! A request within a session.

use std::sync::Arc;

use axum::response::Response;
use http::{StatusCode, request::Parts};
use mcp_everything_store::{Handshake, Owner, SessionId, Transport};
use rmcp::{
    ServerHandler,
    model::{ClientJsonRpcMessage, RequestId},
};

use crate::{
    call::{Outgoing, Promoted, Start, Started, Waiting, start},
    faults::Fault,
    http::{Refusal, event_stream, json_response},
    message::{self, Wire},
    queue::queue,
    shared::Shared,
};

/// How many events may wait for one connection.
pub(super) const CONNECTION_BUFFER: usize = 64;

#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) session: SessionId,
    pub(crate) transport: Transport,
    pub(crate) agreed: &'a Handshake,
}

/// What was asked, and the text of it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) id: &'a RequestId,
    pub(crate) method: &'a str,
    pub(crate) body: &'a [u8],
}

/// Serves a request: a short call's answer as JSON, anything else as an event stream.
pub(super) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    caller: Caller<'_>,
    parts: Parts,
    asked: Asked<'_>,
) -> Result<Response, Refusal> {
    let id = asked.id;
    let started = begin(shared, caller, parts, asked)?;
    let mut waiting = Waiting::new(shared, started);
    let first = match waiting.first().await {
        Ok(Some(Outgoing::Message { message, last: true })) => {
            waiting.done();
            return Ok(json_response(StatusCode::OK, &message));
        }
        Ok(Some(Outgoing::Fault(Fault::Respond(response)))) => {
            waiting.done();
            return Ok(*response);
        }
        // The server goes away, and takes the call with it.
        Ok(None) => {
            waiting.done();
            return Err(Refusal::Unavailable { id: Some(id.clone()) });
        }
        Ok(first @ Some(_)) => first,
        Err(_) => None,
    };
    let (connection, events) = queue(CONNECTION_BUFFER);
    waiting.promote(first, Promoted::Connection(connection)).await?;
    Ok(event_stream(events, shared.config.keep_alive))
}

/// Starts the call of a request.
pub(crate) fn begin<H: ServerHandler>(
    shared: &Shared<H>,
    caller: Caller<'_>,
    parts: Parts,
    asked: Asked<'_>,
) -> Result<Started, Refusal> {
    let Asked { id, method, body } = asked;
    if method == "initialize" {
        let reason = "this session is initialized already".to_owned();
        return Err(Refusal::InvalidRequest { id: Some(id.clone()), reason });
    }
    let invalid = |reason| Refusal::InvalidParams { id: Some(id.clone()), reason };
    let request = message::request(Wire::Stateful, method, body).map_err(invalid)?;
    let Caller { owner, session, transport, agreed } = caller;
    let (untyped, version) = (shared.config.untyped, &*agreed.protocol_version);
    let request = message::handed_over(untyped, version, method, request, body).map_err(invalid)?;
    let message = ClientJsonRpcMessage::request(request, id.clone());
    start(shared, Start { session: Some((session, agreed)), transport, owner, message, parts })
        .map_err(|corrupt| corrupt.refused(session, Some(id.clone())))
}
