//! One connection that carries a standalone stream.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use futures::FutureExt as _;
use mcp_everything_store::{
    Bell, Claim, Epoch, OpenedStream, Position, Pulled, Ring, SessionId, StoreError,
};
use rmcp::ServerHandler;
use tokio::sync::mpsc;

use super::open::OpenStream;
use crate::{call::EventId, http::SseEvent, lease::Lease, shared::Shared};

pub(super) struct Stream<H: ServerHandler> {
    shared: Arc<Shared<H>>,
    session: SessionId,
    open: Arc<OpenStream>,
    lease: Lease,
    now: mpsc::Receiver<Vec<Bytes>>,
    /// What waits for nothing: it is in no log.
    aside: VecDeque<SseEvent>,
    queue: VecDeque<(Position, Bytes)>,
    /// The last event the connection was given.
    given: Position,
    /// What the store knows of that.
    passed: Position,
    said_gap: bool,
}

impl<H: ServerHandler> Stream<H> {
    /// Registered before it is opened: whoever rings from then on finds it.
    pub(super) fn register(shared: Arc<Shared<H>>, session: SessionId, lease: Lease) -> Self {
        let (open, now) = shared.streams.register(session);
        Self {
            shared,
            session,
            open,
            lease,
            now,
            aside: VecDeque::new(),
            queue: VecDeque::new(),
            given: Position::default(),
            passed: Position::default(),
            said_gap: false,
        }
    }

    pub(super) fn open_with(&mut self, opening: SseEvent) {
        self.aside.push_back(opening);
        self.open.ring();
    }

    /// Asks for the session's log. `None` if the session is gone.
    pub(super) async fn claim(&mut self, claim: Claim) -> Result<Option<Position>, StoreError> {
        let Shared { store, bus, instance, .. } = &*self.shared;
        let mut opened = store.open_stream(self.session, instance, claim).await?;
        if let OpenedStream::Held { by } = &opened
            && matches!(bus.is_alive(by).await, Ok(false))
        {
            // Its instance died with it.
            opened = store.open_stream(self.session, instance, Claim::Take(None)).await?;
        }
        match opened {
            OpenedStream::Gone => Ok(None),
            OpenedStream::Held { .. } => Ok(Some(self.given)),
            OpenedStream::Holder { epoch, position, superseded } => {
                self.open.hold(epoch);
                self.shared.teller.taken(self.session);
                (self.given, self.passed) = (position, position);
                match superseded {
                    None => {}
                    Some(other) if other == *instance => self.shared.streams.ring(self.session),
                    Some(other) => {
                        let bell = Bell::StreamChanged(self.session);
                        // It finds out for itself when it next asks for more.
                        if let Err(error) = self.shared.bus.ring(Ring::One(other), bell).await {
                            tracing::debug!(event = "bus.unavailable", %error,
                                "a stream was not told of a newer one");
                        }
                    }
                }
                Ok(Some(position))
            }
        }
    }

    /// The next event. That somebody asks for it says that the one before is on its way.
    pub(super) async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.aside.pop_front() {
                return Some(event);
            }
            let rung = self.open.rung().now_or_never().is_some();
            if rung || self.queue.is_empty() && self.given > self.passed {
                self.look().await?;
                continue;
            }
            if let Some((position, data)) = self.queue.pop_front() {
                self.given = position;
                let id = Some(EventId::Standalone(position).to_string());
                return Some(SseEvent::Message { id, data });
            }
            tokio::select! {
                biased;
                () = self.open.ended() => return None,
                () = self.lease.over() => return None,
                () = self.open.rung() => self.look().await?,
                Some(now) = self.now.recv() => {
                    let now = now.into_iter().map(|data| SseEvent::Message { id: None, data });
                    self.aside.extend(now);
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
        match self.open.epoch() {
            Some(epoch) => self.pull(epoch).await,
            None => Some(()),
        }
    }

    async fn pull(&mut self, epoch: Epoch) -> Option<()> {
        match self.shared.store.pull(self.session, epoch, self.given).await {
            Ok(Pulled::Gone) => return None,
            Ok(Pulled::Superseded) => {
                self.open.give_up();
                // A message goes to one stream only ("Multiple Connections"): these are the
                // newer one's.
                self.queue.clear();
                self.passed = self.given;
            }
            Ok(Pulled::Events { events, gap }) => {
                if gap && !self.said_gap {
                    let comment = SseEvent::Comment("events are missing: the log was full");
                    self.aside.push_back(comment);
                }
                (self.said_gap, self.passed) = (gap, self.given);
                self.queue = events.into();
            }
            Err(error) => {
                later(&error);
                // What was given is said again with the next bell.
                self.passed = self.given;
            }
        }
        Some(())
    }
}

fn later(error: &StoreError) {
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
        // Of the event that was given last nobody knows whether it arrived.
        let passed = self.passed.max(Position(self.given.0.saturating_sub(1)));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let closed = shared.store.close_stream(session, epoch, passed).await.map(|_| ());
            let rung = shared.bus.ring(Ring::All, Bell::StreamChanged(session)).await;
            if let Err(error) = closed.and(rung) {
                // Its hold lapses by itself, and shadows ask again when they are next held.
                tracing::debug!(event = "store.unavailable", %error, "a stream was not given up");
            }
        });
    }
}
