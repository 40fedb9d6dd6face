//! POST: a client's message, or a batch of the revision that has them.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::future;
use http::{Uri, request::Parts};
use mcp_everything_store::{Owner, Session, SessionId, Transport};
use rmcp::{ServerHandler, model::RequestId};
use tracing::Instrument as _;

use super::{
    handshake::{not_initialized, without},
    request::{self, Received},
};
use crate::{
    away::Patience,
    http::{Refusal, apart, is_json, pace_batch},
    message::{Envelope, Kind},
    shared::Shared,
    trace,
    wire::{
        answer,
        batch::{pass, read},
        call::Caller,
        notification,
        post::accepted,
    },
};

pub(super) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    owner: &Owner,
    mut parts: Parts,
    body: Body,
) -> Result<Response, Refusal> {
    if !is_json(&parts.headers) {
        return Err(Refusal::NotJson);
    }
    let config = &shared.config;
    let body = shared.bodies.read(body).await?;
    apart(&mut parts);
    if body.trim_ascii_start().starts_with(b"[") {
        return batch(shared, owner, parts, &body).await;
    }
    let envelope = Envelope::read(&body)?;
    let span = trace::enter(&mut parts, &envelope, &*shared.random);
    if let Kind::Request { method, .. } = &envelope.kind {
        config.gate.pass(&parts, method)?;
    }
    let asks = matches!(envelope.kind, Kind::Request { .. });
    let patience = &mut Patience::unless(asks, &shared.away, &mut parts.extensions);
    let taken = async {
        let (session, record) = admit(shared, owner, &parts.uri, envelope.id(), patience).await?;
        let (owner, handshake, body) = (owner.clone(), record.handshake.clone(), body.clone());
        let received = Received { owner, session, handshake, parts, body };
        accept(shared, received, envelope.kind, patience).await
    };
    taken.instrument(span).await?;
    Ok(accepted())
}

/// A batch: everything in it that is wrong is said on the stream, where its answers are.
async fn batch<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    owner: &Owner,
    mut parts: Parts,
    body: &Bytes,
) -> Result<Response, Refusal> {
    let messages = read(shared.config.max_batch, body)?;
    pace_batch(&shared.config, owner, messages.len()).await?;
    let asks = messages.iter().any(|message| Envelope::is_request(message.get().as_bytes()));
    let mut patience = Patience::unless(asks, &shared.away, &mut parts.extensions);
    let (session, record) = admit(shared, owner, &parts.uri, None, &mut patience).await?;
    let handshake = record.handshake.clone().ok_or_else(|| not_initialized(None))?;
    pass(&shared.config, &parts, &messages, &handshake)?;
    let accepting = messages.into_iter().map(|message| {
        let text = body.slice_ref(message.get().as_bytes());
        let (owner, handshake) = (owner.clone(), Some(Arc::clone(&handshake)));
        let mut received = Received { owner, session, handshake, parts: parts.clone(), body: text };
        let mut patience = patience.clone();
        async move {
            let text = received.body.clone();
            let taken = match Envelope::read(&text) {
                Ok(envelope) => {
                    let (log, span) =
                        trace::message(&mut received.parts, &envelope, &*shared.random);
                    let accepted = accept(shared, received, envelope.kind, &mut patience);
                    accepted.instrument(span).instrument(log).await
                }
                Err(malformed) => Err(malformed.into()),
            };
            match taken {
                Ok(()) => Ok(()),
                Err(refusal) => request::tell(shared, session, refusal).await,
            }
        }
    });
    future::join_all(accepting).await.into_iter().collect::<Result<(), _>>()?;
    Ok(accepted())
}

async fn accept<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    received: Received,
    kind: Kind<'_>,
    patience: &mut Patience<'_>,
) -> Result<(), Refusal> {
    match kind {
        Kind::Request { id, method } => {
            request::accept(shared, received, id, method.into_owned()).await
        }
        Kind::Notification { method } => {
            let Received { owner, session, handshake, parts, body } = received;
            let agreed = match handshake {
                Some(agreed) => agreed,
                None => without(shared, &owner, session, &parts, &method, None).await?,
            };
            let transport = Transport::HttpSse;
            let caller = Caller { owner: &owner, session, transport, agreed: &agreed };
            notification::accept(shared, caller, parts, &method, &body, patience).await
        }
        Kind::Response { id } => {
            answer::accept(shared, received.session, Some(&id), &received.body, patience).await
        }
        Kind::Error { id } => {
            answer::accept(shared, received.session, id.as_ref(), &received.body, patience).await
        }
    }
}

/// The session a message is sent to, if it lives, is its caller's, and is of this transport. This
/// starts its life anew.
async fn admit<H>(
    shared: &Shared<H>,
    owner: &Owner,
    uri: &Uri,
    request: Option<&RequestId>,
    patience: &mut Patience<'_>,
) -> Result<(SessionId, Arc<Session>), Refusal> {
    let not_found = || Refusal::SessionNotFound { id: request.cloned() };
    let named = named(uri).ok_or_else(|| Refusal::EndpointRequired { id: request.cloned() })?;
    let id: SessionId = named.parse().map_err(|_| not_found())?;
    let admitted = patience.ask(|| shared.store.admit(id, owner)).await;
    let session = admitted.map_err(|error| Refusal::store(&error, request.cloned()))?;
    session
        .filter(|session| session.transport == Transport::HttpSse)
        .map(|session| (id, session))
        .ok_or_else(not_found)
}

/// The session in the query. Its id is written without characters that a URL would escape.
fn named(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|parameter| parameter.strip_prefix("sessionId="))
}
