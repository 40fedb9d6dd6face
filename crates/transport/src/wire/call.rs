//! A request within a session.

use std::sync::Arc;

use axum::response::Response;
use futures::stream;
use http::{StatusCode, request::Parts};
use mcp_everything_store::{Owner, Session, SessionId};
use rmcp::{
    ServerHandler,
    model::{ClientJsonRpcMessage, RequestId},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    call::{Outgoing, Promoted, Start, Started, promote, start},
    http::{Refusal, SseEvent, event_stream, json_response},
    message::{self, Wire},
    shared::Shared,
};

/// How many events may wait for one connection.
const CONNECTION_BUFFER: usize = 64;

#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) owner: &'a Owner,
    pub(super) session: SessionId,
    pub(super) record: &'a Session,
}

/// What was asked, and the text of it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) id: &'a RequestId,
    pub(super) method: &'a str,
    pub(super) body: &'a [u8],
}

/// Serves a request: a short call's answer as JSON, anything else as an event stream.
pub(super) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    caller: Caller<'_>,
    parts: Parts,
    asked: Asked<'_>,
) -> Result<Response, Refusal> {
    let mut started = begin(shared, caller, parts, asked)?;
    let first = tokio::time::timeout(shared.config.promote_after, started.outbox.next()).await;
    match first {
        Ok(Some(Outgoing { message, last: true })) => {
            started.answered();
            Ok(json_response(StatusCode::OK, &message))
        }
        // Cancelled before it could answer, so there is no answer.
        Ok(None) => Ok(event_stream(stream::empty(), shared.config.keep_alive)),
        Ok(first @ Some(_)) => stream_of(shared, started, first).await,
        Err(_) => stream_of(shared, started, None).await,
    }
}

/// Starts the call of a request.
pub(super) fn begin<H: ServerHandler>(
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
    let request = message::request(Wire::Stateful, method, body)
        .map_err(|reason| Refusal::InvalidParams { id: Some(id.clone()), reason })?;
    let Caller { owner, session, record } = caller;
    let message = ClientJsonRpcMessage::request(request, id.clone());
    start(shared, Start { session: Some((session, record)), owner, message, parts })
        .map_err(|corrupt| corrupt.refused(session, Some(id.clone())))
}

async fn stream_of<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    started: Started,
    first: Option<Outgoing>,
) -> Result<Response, Refusal> {
    let (connection, events) = connection();
    promote(shared, started, first, Promoted::Connection(connection)).await?;
    Ok(event_stream(ReceiverStream::new(events), shared.config.keep_alive))
}

pub(super) fn connection() -> (mpsc::Sender<SseEvent>, mpsc::Receiver<SseEvent>) {
    mpsc::channel(CONNECTION_BUFFER)
}
