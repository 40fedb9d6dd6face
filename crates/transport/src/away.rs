//! Requests that wait for a store that is away.
//!
//! Clients give up on a stream for good after two refused GETs, and never send an answer again.
//! So what asks for nothing that runs is held until the store is back, for a while: GET, DELETE,
//! and a POST without any request in it. All of that may run twice. Requests are refused at once,
//! and their clients come back with them.

mod door;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use http::Extensions;
use mcp_everything_store::{Random, StoreError};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::door::hold;
use crate::{Config, jitter};

/// How long the store may take to answer a request, in all if the request is not held.
const ANSWER: Duration = Duration::from_millis(2500);
/// The time between two attempts.
const PAUSE: Duration = Duration::from_millis(400);
/// Bodies that may be read while nobody knows whose they are, together, in KiB.
const BODIES: usize = 64 << 10;

/// The requests that are held here.
pub(crate) struct Away {
    places: Arc<Semaphore>,
    most: usize,
    bodies: Arc<Semaphore>,
    hold_for: Duration,
    random: Arc<dyn Random>,
    draining: CancellationToken,
}

/// The place of one held request, for as long as the request is there.
#[derive(Clone)]
pub(crate) struct Held(Arc<Place>);

struct Place {
    until: Instant,
    _permit: OwnedSemaphorePermit,
    _body: Option<OwnedSemaphorePermit>,
}

impl Away {
    pub(crate) fn new(
        config: &Config,
        random: Arc<dyn Random>,
        draining: CancellationToken,
    ) -> Self {
        Self {
            places: Arc::new(Semaphore::new(config.held_requests)),
            most: config.held_requests,
            bodies: Arc::new(Semaphore::new(BODIES)),
            hold_for: config.hold_for,
            random,
            draining,
        }
    }

    /// How many there are.
    pub(crate) fn held(&self) -> usize {
        self.most.saturating_sub(self.places.available_permits())
    }

    /// A place until a time, with room for a body of so many bytes that is still to be read; `None`
    /// if too much is held already.
    fn place(&self, until: Instant, body: usize) -> Option<Held> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let kib = u32::try_from(body.div_ceil(1 << 10)).ok()?;
        let body = match kib {
            0 => None,
            kib => Some(Arc::clone(&self.bodies).try_acquire_many_owned(kib).ok()?),
        };
        Some(Held(Arc::new(Place { until, _permit: permit, _body: body })))
    }

    /// Waits until asking again is worth it. `false` if the request's time is over, or this
    /// instance goes away and others can take it.
    async fn pause(&self, held: &Held) -> bool {
        let pause = jitter::around(&*self.random, PAUSE);
        if Instant::now() + pause >= held.0.until {
            return false;
        }
        tokio::select! {
            () = self.draining.cancelled() => false,
            () = sleep(pause) => true,
        }
    }
}

/// How often a request asks a store that is away.
#[derive(Clone)]
pub(crate) struct Patience<'a> {
    away: &'a Away,
    waits: bool,
    since: Instant,
    held: Option<Held>,
    repeated: bool,
}

impl<'a> Patience<'a> {
    /// Of a request that is refused if it cannot be served now.
    pub(crate) fn none(away: &'a Away) -> Self {
        Self { away, waits: false, since: Instant::now(), held: None, repeated: false }
    }

    /// Of a request that is held, and may have been already, before this endpoint was asked.
    pub(crate) fn of(away: &'a Away, extensions: &mut Extensions) -> Self {
        Self { waits: true, held: extensions.remove(), ..Self::none(away) }
    }

    /// Of a POST: it is held unless it has a request in it.
    pub(crate) fn unless(asks: bool, away: &'a Away, extensions: &mut Extensions) -> Self {
        if asks { Self::none(away) } else { Self::of(away, extensions) }
    }

    /// Asks the store, as often as it takes. The operation may run more than once.
    pub(crate) async fn ask<'s, T>(
        &mut self,
        operation: impl Fn() -> BoxFuture<'s, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        loop {
            let left = self.until().saturating_duration_since(Instant::now());
            let error = match timeout(left.min(ANSWER), operation()).await {
                Ok(Err(error @ StoreError::Unavailable { .. })) => error,
                Ok(answered) => return answered,
                Err(_) => StoreError::Unavailable { reason: "it does not answer".to_owned() },
            };
            if !self.again().await {
                return Err(error);
            }
        }
    }

    /// When its time is over.
    fn until(&self) -> Instant {
        match &self.held {
            Some(held) => held.0.until,
            None => self.since + if self.waits { self.away.hold_for } else { ANSWER },
        }
    }

    /// Waits until asking again is worth it, and says whether it is.
    pub(crate) async fn again(&mut self) -> bool {
        if self.waits && self.held.is_none() {
            self.held = self.away.place(self.until(), 0);
        }
        let Some(held) = &self.held else { return false };
        self.repeated = true;
        self.away.pause(held).await
    }

    /// Whether something was asked again: then nobody knows whether it happened the first time.
    pub(crate) fn repeated(&self) -> bool {
        self.repeated
    }
}
