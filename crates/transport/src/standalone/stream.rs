//! One connection that carries a standalone stream.

use std::{collections::VecDeque, future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::FutureExt as _;
use mcp_everything_store::{
    Bell, Claim, Epoch, OpenedStream, Position, Pulled, Ring, SessionId, StoreError, Transport,
    User,
};
use rmcp::ServerHandler;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{event_id, open::OpenStream, watch::Watch};
use crate::{http::SseEvent, jitter, lease::Lease, leaving::Leaving, shared::Shared};

/// How long after a look that failed the next one is.
const CATCH_UP: Duration = Duration::from_secs(3);

pub(super) struct Stream<H: ServerHandler> {
    shared: Arc<Shared<H>>,
    session: SessionId,
    open: Arc<OpenStream>,
    lease: Lease,
    /// What waits for nothing: it is in no log.
    aside: VecDeque<SseEvent>,
    queue: VecDeque<(Position, Bytes)>,
    /// The last event the connection was given.
    given: Position,
    /// What the store knows of that.
    passed: Position,
    said_gap: bool,
    transport: Transport,
    /// Looks after calls that are heard here; `None` where they have streams of their own.
    watch: Option<Watch>,
    /// When to look for what a store that was away did not tell.
    again: Option<Instant>,
    /// When to leave an instance that goes away, and whether it is time.
    leaving: Leaving,
    due: bool,
    _departure: TaskTrackerToken,
}

impl<H: ServerHandler> Stream<H> {
    /// Registered before it is opened: whoever rings from then on finds it.
    pub(super) fn register(
        shared: Arc<Shared<H>>,
        (session, user): (SessionId, Arc<User>),
        transport: Transport,
        primes: bool,
        lease: Lease,
    ) -> Self {
        let open = shared.streams.register(session, user, shared.bus.attend(session));
        let watch = match transport {
            Transport::StreamableHttp => None,
            Transport::HttpSse => Some(Watch::default()),
        };
        Self {
            leaving: shared.leaving(primes),
            _departure: shared.departures.token(),
            shared,
            session,
            open,
            lease,
            // With room for what it opens with.
            aside: VecDeque::with_capacity(1),
            queue: VecDeque::new(),
            given: Position::default(),
            passed: Position::default(),
            said_gap: false,
            transport,
            watch,
            again: None,
            due: false,
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
        if self.leaving.is_over() {
            return None;
        }
        let event = self.more().await;
        self.leaving.or_last_word(event)
    }

    /// The next event, `None` if this connection is to end.
    async fn more(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.aside.pop_front() {
                return Some(event);
            }
            // However much there is to say.
            self.due |= self.leaving.is_due();
            if self.open.has_ended()
                || self.lease.is_over()
                || self.due && self.watch.is_none()
                || self.shared.shutdown.is_cancelled()
            {
                return None;
            }
            let rung = self.open.rung().now_or_never().is_some();
            let told = self.given == self.passed || self.again.is_some();
            if rung || self.queue.is_empty() && !told {
                self.rung().await?;
                continue;
            }
            if let Some((position, data)) = self.queue.pop_front() {
                self.given = position;
                let id = Some(event_id(self.session, self.transport, position));
                return Some(SseEvent::Message { id, data });
            }
            if self.due && self.is_idle().await? {
                return None;
            }
            tokio::select! {
                biased;
                () = self.open.ended() => return None,
                () = self.lease.over() => return None,
                () = self.shared.shutdown.cancelled() => return None,
                () = self.leaving.due(), if !self.due => self.due = true,
                () = self.open.rung() => self.rung().await?,
                () = sleep_until(self.again.unwrap_or_else(Instant::now)), if self.again.is_some() => {
                    self.look().await?;
                }
                () = watched(self.watch.as_ref()) => self.look_after().await?,
                now = self.open.now() => {
                    let now = now.into_iter().map(|data| SseEvent::Message { id: None, data });
                    self.aside.extend(now);
                }
            }
        }
    }

    /// Whether its client may go elsewhere: it waits for nothing that it could miss on the way.
    async fn is_idle(&mut self) -> Option<bool> {
        let (Some(watch), Some(_)) = (&mut self.watch, self.open.epoch()) else {
            return Some(true);
        };
        watch.begin(&self.shared);
        match self.shared.store.running(self.session).await {
            Ok(running) if running.is_empty() => {}
            Ok(_) => return Some(false),
            Err(error) => {
                self.later(&error);
                return Some(false);
            }
        }
        // What the last of them said is there by now.
        self.look().await?;
        Some(self.aside.is_empty() && self.queue.is_empty())
    }

    /// Sees what the bell was about, and that calls may run. `None` if the session is gone.
    async fn rung(&mut self) -> Option<()> {
        if let Some(watch) = &mut self.watch {
            watch.begin(&self.shared);
        }
        self.look().await
    }

    /// Looks after the calls that run, and whether a bell was lost. `None` if the session is gone.
    async fn look_after(&mut self) -> Option<()> {
        if let Some(watch) = &mut self.watch {
            match self.open.epoch() {
                Some(_) => watch.look(&self.shared, self.session).await,
                // The stream that holds the log looks.
                None => watch.end(),
            }
        }
        self.look().await
    }

    /// Reads what there is. `None` if the session is gone.
    async fn look(&mut self) -> Option<()> {
        self.again = None;
        if let Some(epoch) = self.open.epoch() {
            self.pull(epoch).await?;
        }
        // One that was superseded may be the only one left by now: of two bells it hears one.
        if self.open.epoch().is_none() {
            match self.claim(Claim::IfFree).await {
                Ok(claimed) => _ = claimed?,
                Err(error) => self.later(&error),
            }
            if let Some(epoch) = self.open.epoch() {
                self.pull(epoch).await?;
            }
        }
        Some(())
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
            Err(error) => self.later(&error),
        }
        Some(())
    }

    /// Looks again without being rung: the bell that could not be answered may be the last for
    /// long.
    fn later(&mut self, error: &StoreError) {
        tracing::debug!(event = "store.unavailable", %error, "a stream catches up later");
        self.again = Some(Instant::now() + jitter::around(&*self.shared.random, CATCH_UP));
    }
}

async fn watched(watch: Option<&Watch>) {
    match watch {
        Some(watch) => watch.due().await,
        None => future::pending().await,
    }
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
        let departures = self.shared.departures.clone();
        let give_up = async move {
            let closed = shared.store.close_stream(session, epoch, passed).await.map(|_| ());
            let rung = shared.bus.ring(Ring::All, Bell::StreamChanged(session)).await;
            if let Err(error) = closed.and(rung) {
                // Its hold lapses by itself, and shadows ask again when they are next held.
                tracing::debug!(event = "store.unavailable", %error, "a stream was not given up");
            }
        };
        departures.spawn_on(give_up, &runtime);
    }
}
