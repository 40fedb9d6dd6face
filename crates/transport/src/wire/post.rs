//! POST: one message, or a batch of the revision that has them.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{StatusCode, request::Parts};
use mcp_everything_store::{Owner, Transport};
use rmcp::{ServerHandler, model::RequestId};
use tracing::Instrument as _;

use super::{
    answer, batch,
    call::{self, Asked, Caller},
    initialize, notification, session, stateless,
};
use crate::{
    away::Patience,
    http::{Refusal, accepts_json_and_event_stream, apart, is_json},
    message::{Envelope, Kind, Meta, VersionHeader, Wire},
    shared::Shared,
    trace,
};

pub(crate) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    owner: &Owner,
    mut parts: Parts,
    body: Body,
) -> Result<Response, Refusal> {
    if !accepts_json_and_event_stream(&parts.headers) {
        return Err(Refusal::PostNotAcceptable);
    }
    if !is_json(&parts.headers) {
        return Err(Refusal::NotJson);
    }
    let config = &shared.config;
    let body = shared.bodies.read(body).await?;
    apart(&mut parts);
    if body.trim_ascii_start().starts_with(b"[") {
        return batch::serve(shared, owner, parts, &body).await;
    }
    let envelope = Envelope::read(&body)?;
    let span = trace::enter(&mut parts, &envelope, &*shared.random);
    if let Kind::Request { method, .. } = &envelope.kind {
        config.gate.pass(&parts, method)?;
    }
    let meta = Meta::of(&envelope);
    match Wire::of(&envelope, &meta, VersionHeader::of(&parts.headers))? {
        Wire::Stateless => {
            let said = stateless::Said { envelope: &envelope, meta: &meta, body: &body };
            let served = stateless::serve(shared, owner, parts, said);
            served.instrument(span.clone()).await.map(|response| trace::held(response, &span))
        }
        Wire::Stateful => stateful(shared, owner, parts, envelope, &body).instrument(span).await,
    }
}

async fn stateful<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    owner: &Owner,
    mut parts: Parts,
    envelope: Envelope<'_>,
    body: &Bytes,
) -> Result<Response, Refusal> {
    let id = envelope.id().cloned();
    if session::named(&parts.headers).is_none()
        && let Kind::Request { id, method } = &envelope.kind
        && method == "initialize"
    {
        return initialize::serve(shared, owner, parts, id, body).await;
    }
    let asks = matches!(envelope.kind, Kind::Request { .. });
    let patience = &mut Patience::unless(asks, &shared.away, &mut parts.extensions);
    let (session, agreed) =
        session::admit(shared, owner, &parts.headers, id.as_ref(), patience).await?;
    let transport = Transport::StreamableHttp;
    match envelope.kind {
        Kind::Request { id, method } => {
            let caller = Caller { owner, session, transport, agreed: &agreed };
            call::serve(shared, caller, parts, Asked { id: &id, method: &method, body }).await
        }
        Kind::Notification { method } => {
            let caller = Caller { owner, session, transport, agreed: &agreed };
            notification::accept(shared, caller, parts, &method, body, patience).await?;
            Ok(accepted())
        }
        Kind::Response { id } => {
            answer::accept(shared, session, Some(&id), body, patience).await?;
            Ok(accepted())
        }
        Kind::Error { id } => {
            answer::accept(shared, session, id.as_ref(), body, patience).await?;
            Ok(accepted())
        }
    }
}

/// "If the server accepts the input, the server MUST return HTTP status code 202 Accepted with no
/// body."
pub(crate) fn accepted() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

impl Envelope<'_> {
    pub(crate) fn id(&self) -> Option<&RequestId> {
        match &self.kind {
            Kind::Request { id, .. } | Kind::Response { id } => Some(id),
            Kind::Error { id } => id.as_ref(),
            Kind::Notification { .. } => None,
        }
    }
}
