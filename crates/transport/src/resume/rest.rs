//! Reading a call's log to its end.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use mcp_everything_store::{Appended, CallEvent, CallLog, InstanceId};
use rmcp::ServerHandler;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{Cut, readers::Reader};
use crate::{http::SseEvent, lease::Lease, leaving::Leaving, shared::Shared};

/// How often somebody who waits looks whether the call still runs at all. It must be found gone
/// twice, with a look into its log between: it may have ended just then. With an instance that is
/// known to be dead 2 s after its last sign of life, its reader is told within 4 s.
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Rest<H> {
    shared: Arc<Shared<H>>,
    cut: Cut,
    reader: Reader,
    lease: Lease,
    queue: VecDeque<SseEvent>,
    ended: bool,
    said_lost: bool,
    /// The number of the call's newest event, kept or not.
    newest: u64,
    /// Where the call runs.
    executor: InstanceId,
    found_gone: bool,
    leaving: Leaving,
    _departure: TaskTrackerToken,
}

impl<H: ServerHandler> Rest<H> {
    pub(super) fn new(
        shared: Arc<Shared<H>>,
        cut: Cut,
        (reader, lease): (Reader, Lease),
        primes: bool,
        log: CallLog,
    ) -> Self {
        let opening = SseEvent::opening(primes, &cut.event_id(cut.seq, false), shared.retry());
        let mut rest = Self {
            leaving: shared.leaving(primes),
            _departure: shared.departures.token(),
            shared,
            cut,
            reader,
            lease,
            queue: VecDeque::from([opening]),
            ended: false,
            said_lost: false,
            newest: log.newest,
            executor: log.instance.clone(),
            found_gone: false,
        };
        rest.take(log);
        rest
    }

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
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            if self.ended {
                self.leaving.for_good();
                return None;
            }
            // However fast the log grows.
            let leaves = !self.runs_here() && self.leaving.is_due();
            if self.lease.is_over() || leaves {
                return None;
            }
            self.read().await?;
            // Only now: what was kept before the end is passed on.
            if self.queue.is_empty() && !self.ended {
                self.wait().await?;
            }
        }
    }

    /// Reads on. `None` if the session is gone, or the log, or if its client reads elsewhere.
    async fn read(&mut self) -> Option<()> {
        let Cut { session, call, seq, .. } = self.cut;
        match self.shared.store.read_call(session, call, seq, None).await {
            Ok(log) => {
                let log = log?;
                if log.reader.as_ref().is_some_and(|reader| *reader != self.shared.instance) {
                    self.leaving.for_good();
                    return None;
                }
                self.take(log);
            }
            Err(error) => {
                tracing::debug!(event = "store.unavailable", %error, "a log is read again later");
            }
        }
        Some(())
    }

    fn runs_here(&self) -> bool {
        self.executor == self.shared.instance
    }

    /// Waits for more. `None` if this connection ends.
    async fn wait(&mut self) -> Option<()> {
        if self.shared.shutdown.is_cancelled() {
            return None;
        }
        let runs_here = self.runs_here();
        tokio::select! {
            () = self.reader.left() => {
                self.leaving.for_good();
                return None;
            }
            () = self.lease.over() => return None,
            () = self.reader.grown() => {}
            () = self.shared.shutdown.cancelled() => {}
            // A call that runs elsewhere can be read elsewhere.
            () = self.leaving.due(), if !runs_here => return None,
            () = tokio::time::sleep(LOOK) => self.look().await,
        }
        Some(())
    }

    /// Ends a call in the name of an instance that died with it.
    async fn look(&mut self) {
        let Cut { session, call, .. } = self.cut;
        let shared = &self.shared;
        let gone = !shared.may_run(session, call, &self.executor).await;
        if !(gone && self.found_gone) {
            self.found_gone = gone;
            return;
        }
        tracing::warn!(event = "call.lost", %session, %call, ran_on = %self.executor,
            "a call went with the instance that ran it");
        let data = match self.cut.request {
            Some(_) => self.cut.epitaph("the server that ran the call is gone"),
            None => bytes::Bytes::new(),
        };
        let event = CallEvent { seq: self.newest + 1, data, last: true };
        match shared.store.append(session, call, event).await {
            // Written, or written by somebody else: it is read either way.
            Ok(
                Appended::Kept { .. } | Appended::Full { .. } | Appended::Ended | Appended::Gone,
            ) => {}
            Err(error) => {
                tracing::debug!(event = "store.unavailable", %error, "a call is ended later");
            }
        }
    }

    fn take(&mut self, log: CallLog) {
        (self.ended, self.newest) = (log.ended, log.newest);
        for CallEvent { seq, data, last } in log.events {
            // Events that are not kept leave a hole.
            if log.lost && last && !self.said_lost {
                self.said_lost = true;
                self.queue.push_back(SseEvent::Comment("events are missing: the log was full"));
            }
            self.cut.seq = seq;
            if !data.is_empty() {
                let id = Some(self.cut.event_id(seq, last));
                self.queue.push_back(SseEvent::Message { id, data });
            }
        }
    }
}
