//! The standalone stream of a session: what its client opens with a GET, without `Last-Event-ID` or
//! with one of the stream's own. With HTTP with SSE it is the only one there is.
//!
//! The stream is no task: it is what the connection polls, and it sleeps between bells.

mod open;
mod stream;
mod watch;

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use futures::stream::unfold;
use http::request::Parts;
use mcp_everything_store::{Claim, Owner, Position, SessionId, StoreError, Transport, User};
use rmcp::ServerHandler;

pub(crate) use self::open::{Holding, OpenStreams};
use self::stream::Stream;
use crate::{
    away::Patience,
    call::EventId,
    http::{Refusal, SseEvent, event_stream},
    http_sse::StreamEventId,
    shared::Shared,
};

/// How a stream begins: with something that has an id, for a client that is cut off before
/// anything else comes.
pub(crate) enum Beginning {
    StreamableHttp {
        /// Whether the client knows events without data.
        primes: bool,
    },
    HttpSse {
        /// Where the client sends its messages.
        url: String,
    },
}

impl Beginning {
    const fn transport(&self) -> Transport {
        match self {
            Self::StreamableHttp { .. } => Transport::StreamableHttp,
            Self::HttpSse { .. } => Transport::HttpSse,
        }
    }

    /// Whether the client knows an event without data, and so can be told when to come back.
    const fn primes(&self) -> bool {
        match self {
            Self::StreamableHttp { primes } => *primes,
            Self::HttpSse { .. } => false,
        }
    }

    fn event(self, id: String, retry: Duration) -> SseEvent {
        match self {
            Self::StreamableHttp { primes } => SseEvent::opening(primes, &id, retry),
            Self::HttpSse { url } => SseEvent::Endpoint { id, retry, url },
        }
    }
}

pub(crate) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    session: SessionId,
    beginning: Beginning,
    claim: Claim,
    parts: &Parts,
    patience: &mut Patience<'_>,
) -> Result<Response, Refusal> {
    let owner = parts.extensions.get::<Owner>().ok_or(Refusal::Internal { id: None })?;
    let of = (session, Arc::new(User::from(owner)));
    let lease = shared.grants.lease(&parts.extensions, &*shared.clock);
    let transport = beginning.transport();
    let primes = beginning.primes();
    let mut stream = Stream::register(Arc::clone(shared), of, transport, primes, lease);
    let position = loop {
        match stream.claim(claim).await {
            Ok(Some(position)) => break position,
            Ok(None) => return Err(Refusal::SessionNotFound { id: None }),
            Err(StoreError::Unavailable { .. }) if patience.again().await => {}
            Err(error) => return Err(Refusal::store(&error, None)),
        }
    };
    let resumed = matches!(claim, Claim::Take(Some(_)));
    tracing::info!(event = "stream.opened", %session, resumed, "a standalone stream opened");
    let id = event_id(session, transport, position);
    stream.open_with(beginning.event(id, shared.retry()));
    let events = unfold(stream, |mut stream| async move { Some((stream.next().await?, stream)) });
    Ok(event_stream(events, shared.config.keep_alive))
}

fn event_id(session: SessionId, transport: Transport, position: Position) -> String {
    match transport {
        Transport::StreamableHttp => EventId::Standalone(position).to_string(),
        Transport::HttpSse => StreamEventId { session, position }.to_string(),
    }
}
