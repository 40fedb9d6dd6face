//! Batches, which the revision 2025-03-26 has and the later ones took away.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, future, stream};
use http::{StatusCode, request::Parts};
use mcp_everything_store::{Handshake, Owner, Transport};
use rmcp::{
    ServerHandler,
    model::{ProtocolVersion, ServerJsonRpcMessage},
};
use serde_json::value::RawValue;
use tracing::Instrument as _;

use super::{
    answer,
    call::{self, Asked, CONNECTION_BUFFER, Caller},
    notification,
    post::accepted,
    session,
};
use crate::{
    Config,
    away::Patience,
    call::{Outgoing, Promoted, Waiting},
    faults::Fault,
    http::{Refusal, SseEvent, event_stream, json_response, pace_batch},
    message::{Envelope, Kind, VersionHeader, Wire, bounded},
    queue::{Sender, queue},
    scope::to_bytes,
    shared::Shared,
    trace,
};

pub(super) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    owner: &Owner,
    mut parts: Parts,
    body: &Bytes,
) -> Result<Response, Refusal> {
    let messages = read(shared.config.max_batch, body)?;
    pace_batch(&shared.config, owner, messages.len()).await?;
    if Wire::of_header(VersionHeader::of(&parts.headers), None)? == Wire::Stateless {
        return Err(invalid("this protocol version has no batches".to_owned()));
    }
    let asks = messages.iter().any(|message| Envelope::is_request(message.get().as_bytes()));
    let patience = &mut Patience::unless(asks, &shared.away, &mut parts.extensions);
    let (session, agreed) = session::admit(shared, owner, &parts.headers, None, patience).await?;
    pass(&shared.config, &parts, &messages, &agreed)?;
    let transport = Transport::StreamableHttp;
    let caller = Caller { owner, session, transport, agreed: &agreed };
    let mut batch = Batch { shared, answers: Vec::new(), calls: Vec::new() };
    for message in messages {
        batch.take(caller, parts.clone(), message, patience).await?;
    }
    batch.respond().await
}

/// The messages of a batch.
pub(crate) fn read(limit: usize, body: &[u8]) -> Result<Vec<&RawValue>, Refusal> {
    let messages: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| Refusal::ParseError { reason: bounded(&error.to_string()) })?;
    if messages.is_empty() {
        return Err(invalid("a batch has at least one message".to_owned()));
    }
    if messages.len() > limit {
        return Err(invalid(format!("a batch has at most {limit} messages")));
    }
    Ok(messages)
}

/// Whether the session's revision has batches, and the caller may use the methods in this one.
pub(crate) fn pass(
    config: &Config,
    parts: &Parts,
    messages: &[&RawValue],
    agreed: &Handshake,
) -> Result<(), Refusal> {
    exist(&agreed.protocol_version)?;
    for message in messages {
        if let Ok(Envelope { kind: Kind::Request { method, .. }, .. }) =
            Envelope::read(message.get().as_bytes())
        {
            config.gate.pass(parts, &method)?;
        }
    }
    Ok(())
}

/// Whether a revision has batches.
pub(crate) fn exist(version: &str) -> Result<(), Refusal> {
    if version == ProtocolVersion::V_2025_03_26.as_str() {
        return Ok(());
    }
    Err(invalid(format!("the protocol version {version} has no batches")))
}

fn invalid(reason: String) -> Refusal {
    Refusal::InvalidRequest { id: None, reason }
}

struct Batch<'a, H: ServerHandler> {
    shared: &'a Arc<Shared<H>>,
    /// What is answered already.
    answers: Vec<ServerJsonRpcMessage>,
    calls: Vec<Waiting<H>>,
}

impl<H: ServerHandler> Batch<'_, H> {
    async fn take(
        &mut self,
        caller: Caller<'_>,
        mut parts: Parts,
        message: &RawValue,
        patience: &mut Patience<'_>,
    ) -> Result<(), Refusal> {
        let text = message.get().as_bytes();
        let taken = match Envelope::read(text).map_err(Refusal::from) {
            Err(refusal) => Err(refusal),
            Ok(envelope) => {
                let (log, span) = trace::message(&mut parts, &envelope, &*self.shared.random);
                let served = self.serve(caller, parts, envelope.kind, text, patience);
                served.instrument(span).instrument(log).await
            }
        };
        // JSON-RPC 2.0 section 6: a message that is refused has its error among the answers.
        match taken {
            Err(refusal) if !refusal.is_the_servers() => {
                self.answers.push(ServerJsonRpcMessage::Error(refusal.into_error()));
                Ok(())
            }
            taken => taken,
        }
    }

    async fn serve(
        &mut self,
        caller: Caller<'_>,
        parts: Parts,
        kind: Kind<'_>,
        text: &[u8],
        patience: &mut Patience<'_>,
    ) -> Result<(), Refusal> {
        match kind {
            Kind::Request { id, method } => call::begin(
                self.shared,
                caller,
                parts,
                Asked { id: &id, method: &method, body: text },
            )
            .map(|mut started| {
                // The calls of a batch run side by side, each with the span of its message.
                started.set_apart();
                self.calls.push(Waiting::new(self.shared, started));
            }),
            Kind::Notification { method } => {
                notification::accept(self.shared, caller, parts, &method, text, patience).await
            }
            Kind::Response { id } => {
                let text = Bytes::copy_from_slice(text);
                answer::accept(self.shared, caller.session, Some(&id), &text, patience).await
            }
            Kind::Error { id } => {
                let text = Bytes::copy_from_slice(text);
                answer::accept(self.shared, caller.session, id.as_ref(), &text, patience).await
            }
        }
    }

    /// One array if all calls are short, else one event stream for all of them.
    async fn respond(mut self) -> Result<Response, Refusal> {
        let calls = std::mem::take(&mut self.calls).into_iter();
        let firsts = future::join_all(calls.map(|mut call| async move {
            let first = call.first().await;
            (call, first)
        }));
        // The opening and the first event of each call have room before anybody reads.
        let room = CONNECTION_BUFFER + 2 * self.shared.config.max_batch;
        let (connection, events) = queue(room);
        let (mut streams, mut instead) = (false, None);
        for (call, first) in firsts.await {
            match first {
                Ok(Some(Outgoing::Message { message, last: true })) => {
                    call.done();
                    self.answers.push(*message);
                }
                // The batch has one response, and this is it.
                Ok(Some(Outgoing::Fault(Fault::Respond(response)))) => {
                    call.done();
                    instead = Some(*response);
                }
                // The server goes away, and takes the call with it.
                Ok(None) => call.done(),
                Ok(first @ Some(_)) => streams |= self.stream(call, first, &connection).await,
                Err(_) => streams |= self.stream(call, None, &connection).await,
            }
        }
        drop(connection);
        if let Some(instead) = instead {
            return Ok(instead);
        }
        if streams {
            let answered = self.answers.iter().map(to_bytes);
            let answered = answered.map(|data| SseEvent::Message { id: None, data });
            let answered: Vec<_> = answered.collect();
            let events = stream::iter(answered).chain(events);
            return Ok(event_stream(events, self.shared.config.keep_alive));
        }
        if self.answers.is_empty() {
            return Ok(accepted());
        }
        Ok(json_response(StatusCode::OK, &self.answers))
    }

    /// Lets a call that is not short send to the connection. Says whether it does.
    async fn stream(
        &mut self,
        call: Waiting<H>,
        first: Option<Outgoing>,
        connection: &Sender<SseEvent>,
    ) -> bool {
        let to = Promoted::Connection(connection.clone());
        match call.promote(first, to).await {
            Ok(()) => true,
            Err(refusal) => {
                self.answers.push(ServerJsonRpcMessage::Error(refusal.into_error()));
                false
            }
        }
    }
}
