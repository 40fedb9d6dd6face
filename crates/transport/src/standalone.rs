//! The standalone stream of a session: GET without `Last-Event-ID`, or with one of its own.
//!
//! The stream is no task: it is what the connection polls, and it sleeps between bells.

mod open;

use std::{collections::VecDeque, sync::Arc};

use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use mcp_everything_store::{Bell, Claim, OpenedStream, Position, Pulled, Ring, SessionId};
use rmcp::ServerHandler;
use tokio::sync::mpsc;

use self::open::OpenStream;
pub(crate) use self::open::OpenStreams;
use crate::{
    call::EventId,
    http::{Refusal, SseEvent, event_stream},
    shared::Shared,
};

pub(crate) async fn serve<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    session: SessionId,
    claim: Claim,
) -> Result<Response, Refusal> {
    // Registered before it is opened: whoever rings from then on finds it.
    let (open, now) = shared.streams.register(session);
    let mut stream =
        Stream { shared: Arc::clone(shared), session, open, now, queue: VecDeque::new() };
    let position = match stream.claim(claim).await {
        Ok(Some(position)) => position,
        Ok(None) => return Err(Refusal::SessionNotFound { id: None }),
        Err(error) => return Err(Refusal::store(&error, None)),
    };
    let resumed = matches!(claim, Claim::Take(Some(_)));
    tracing::info!(event = "stream.opened", %session, resumed, "a standalone stream opened");
    stream.queue.push_back(SseEvent::Priming {
        id: EventId::Standalone(position).to_string(),
        retry: shared.config.retry,
    });
    stream.open.ring();
    let events =
        stream::unfold(stream, |mut stream| async move { Some((stream.next().await?, stream)) });
    Ok(event_stream(events, shared.config.keep_alive))
}

struct Stream<H: ServerHandler> {
    shared: Arc<Shared<H>>,
    session: SessionId,
    open: Arc<OpenStream>,
    now: mpsc::Receiver<Bytes>,
    queue: VecDeque<SseEvent>,
}

impl<H: ServerHandler> Stream<H> {
    /// Asks for the session's log. `None` if the session is gone.
    async fn claim(
        &self,
        claim: Claim,
    ) -> Result<Option<Position>, mcp_everything_store::StoreError> {
        let Shared { store, instance, .. } = &*self.shared;
        match store.open_stream(self.session, instance, claim).await? {
            OpenedStream::Gone => Ok(None),
            OpenedStream::Held => Ok(Some(Position::default())),
            OpenedStream::Holder { epoch, position, superseded } => {
                self.open.hold(epoch);
                match superseded {
                    None => {}
                    Some(other) if other == *instance => self.shared.streams.ring(self.session),
                    Some(other) => {
                        let bell = Bell::StreamChanged(self.session);
                        self.shared.bus.ring(Ring::One(other), bell).await?;
                    }
                }
                Ok(Some(position))
            }
        }
    }

    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            tokio::select! {
                biased;
                () = self.open.ended() => return None,
                () = self.open.rung() => self.look().await?,
                Some(data) = self.now.recv() => {
                    return Some(SseEvent::Message { id: None, data });
                }
            }
        }
    }

    /// Sees what the bell was about. `None` if the session is gone.
    async fn look(&mut self) -> Option<()> {
        if self.open.epoch().is_none() {
            match self.claim(Claim::IfFree).await {
                Ok(claimed) => _ = claimed?,
                Err(error) => later(&error),
            }
        }
        let Some(epoch) = self.open.epoch() else {
            return Some(());
        };
        match self.shared.store.pull(self.session, epoch).await {
            Ok(Pulled::Gone) => return None,
            Ok(Pulled::Superseded) => self.open.give_up(),
            Ok(Pulled::Events { events, gap }) => {
                if gap {
                    self.queue.push_back(SseEvent::Comment("events are missing: the log was full"));
                }
                self.queue.extend(events.into_iter().map(|(position, data)| SseEvent::Message {
                    id: Some(EventId::Standalone(position).to_string()),
                    data,
                }));
            }
            Err(error) => later(&error),
        }
        Some(())
    }
}

fn later(error: &mcp_everything_store::StoreError) {
    tracing::debug!(event = "store.unavailable", %error, "a stream catches up later");
}

impl<H: ServerHandler> Drop for Stream<H> {
    /// The connection is gone: the log is free for the next stream, or for a shadow of this one.
    fn drop(&mut self) {
        self.shared.streams.remove(self.session, &self.open);
        let Some(epoch) = self.open.epoch() else {
            return;
        };
        let (shared, session) = (Arc::clone(&self.shared), self.session);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let closed = shared.store.close_stream(session, epoch).await.map(|_| ());
            let rung = shared.bus.ring(Ring::All, Bell::StreamChanged(session)).await;
            if let Err(error) = closed.and(rung) {
                // Its hold lapses by itself, and shadows ask again when they are next held.
                tracing::debug!(event = "store.unavailable", %error, "a stream was not given up");
            }
        });
    }
}
