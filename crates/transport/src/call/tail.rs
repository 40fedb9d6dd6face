//! The end of a call's log that the store does not have yet.

use std::{collections::VecDeque, time::Duration};

use mcp_everything_store::{Appended, CallEvent, CallId, InstanceId, SessionId, StoreError};

use tokio::time::{Instant, sleep};

use crate::shared::Shared;

/// How much may wait for a store that is away.
const EVENTS: usize = 256;
const BYTES: usize = 256 << 10;
/// How long the last event is offered to a store that is away.
const PATIENCE: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Events in order, the oldest first.
#[derive(Default)]
pub(super) struct Tail {
    events: VecDeque<CallEvent>,
    bytes: usize,
}

/// What became of the log.
pub(super) enum Logged {
    /// It has everything.
    Kept { reader: Option<InstanceId> },
    /// It is full; what comes is not in it.
    Full { reader: Option<InstanceId> },
    /// The store is away, and will have everything when it is back.
    Later,
    /// Somebody else ended the call.
    Ended,
    /// The session is gone.
    Gone,
    /// The store was away for too long, and the log ends here.
    Lost(StoreError),
}

impl Tail {
    /// Whether the store does not have everything yet.
    pub(super) fn is_behind(&self) -> bool {
        !self.events.is_empty()
    }

    /// Adds an event and gives the store what it takes.
    pub(super) async fn append<H>(
        &mut self,
        shared: &Shared<H>,
        session: SessionId,
        call: CallId,
        event: CallEvent,
    ) -> Logged {
        let last = event.last;
        self.bytes += event.data.len();
        self.events.push_back(event);
        match self.flush(shared, session, call).await {
            Ok(logged) => logged,
            Err(error) if !last && (self.events.len() > EVENTS || self.bytes > BYTES) => {
                Logged::Lost(error)
            }
            Err(_) => Logged::Later,
        }
    }

    /// Gives the store what it did not take before.
    pub(super) async fn catch_up<H>(
        &mut self,
        shared: &Shared<H>,
        session: SessionId,
        call: CallId,
    ) -> Logged {
        self.flush(shared, session, call).await.unwrap_or(Logged::Later)
    }

    /// Offers the store what it does not have until it takes it, or for as long as is worth it.
    pub(super) async fn insist<H>(
        &mut self,
        shared: &Shared<H>,
        session: SessionId,
        call: CallId,
    ) -> Logged {
        let patience = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                () = shared.shutdown.cancelled() => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.flush(shared, session, call).await {
                Ok(logged) => return logged,
                Err(error) if Instant::now() >= patience || shared.shutdown.is_cancelled() => {
                    return Logged::Lost(error);
                }
                Err(_) => {}
            }
        }
    }

    /// Appending may run twice: the store keeps an event once.
    async fn flush<H>(
        &mut self,
        shared: &Shared<H>,
        session: SessionId,
        call: CallId,
    ) -> Result<Logged, StoreError> {
        let mut logged = Logged::Kept { reader: None };
        while let Some(event) = self.events.front() {
            logged = match shared.store.append(session, call, event.clone()).await? {
                Appended::Kept { reader } => Logged::Kept { reader },
                Appended::Full { reader } => Logged::Full { reader },
                Appended::Ended => return Ok(Logged::Ended),
                Appended::Gone => return Ok(Logged::Gone),
            };
            if let Some(event) = self.events.pop_front() {
                self.bytes -= event.data.len();
            }
        }
        Ok(logged)
    }
}
