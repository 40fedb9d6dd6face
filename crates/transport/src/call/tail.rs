//! The end of a call's log that the store does not have yet.

use std::{collections::VecDeque, time::Duration};

use mcp_everything_store::{Appended, CallEvent, CallId, InstanceId, SessionId, StoreError};

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
    /// It has everything, or will have.
    Kept { reader: Option<InstanceId> },
    /// It is full; what comes is not in it.
    Full { reader: Option<InstanceId> },
    /// The call or its session is gone.
    Over,
    /// The store was away for too long, and the log ends here.
    Lost(StoreError),
}

impl Tail {
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
        let mut logged = self.flush(shared, session, call).await;
        if last {
            let patience = tokio::time::sleep(PATIENCE);
            tokio::pin!(patience);
            let mut pause = FIRST_PAUSE;
            while logged.is_err() {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = &mut patience => break,
                    () = shared.shutdown.cancelled() => break,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                logged = self.flush(shared, session, call).await;
            }
        }
        match logged {
            Ok(logged) => logged,
            Err(error) if last || self.events.len() > EVENTS || self.bytes > BYTES => {
                Logged::Lost(error)
            }
            Err(_) => Logged::Kept { reader: None },
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
                Appended::Ended | Appended::Gone => return Ok(Logged::Over),
            };
            if let Some(event) = self.events.pop_front() {
                self.bytes -= event.data.len();
            }
        }
        Ok(logged)
    }
}
