//! Looking after the calls that are heard on a stream: whoever waits there for an answer must be
//! told if the instance that ran the call is gone.

use std::{future, time::Duration};

use mcp_everything_store::{CallId, Said, SessionId};
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::shared::Shared;

/// How often a stream looks while calls run. A call must be found gone twice: it may have ended
/// just then. With the time an instance's lease takes to lapse, its client waits less than 5 s.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Watch {
    /// When to look next; `None` while no call is known to run.
    next: Option<Instant>,
    /// The calls that were found gone when this last looked.
    gone: Vec<CallId>,
    /// A drain waits for what is still to be heard here, and not for a client that waits for
    /// nothing.
    request: Option<TaskTrackerToken>,
}

impl Watch {
    /// Something happened in the session: calls may run.
    pub(super) fn begin<H>(&mut self, shared: &Shared<H>) {
        self.next.get_or_insert_with(|| Instant::now() + LOOK);
        self.request.get_or_insert_with(|| shared.requests.token());
    }

    pub(super) fn end(&mut self) {
        self.next = None;
        self.request = None;
    }

    /// Returns when it is time to look.
    pub(super) async fn due(&self) {
        match self.next {
            Some(next) => tokio::time::sleep_until(next).await,
            None => future::pending().await,
        }
    }

    /// Ends calls in the name of instances that died with them.
    pub(super) async fn look<H>(&mut self, shared: &Shared<H>, session: SessionId) {
        self.next = Some(Instant::now() + LOOK);
        let running = match shared.store.running(session).await {
            Ok(running) => running,
            Err(error) => {
                tracing::debug!(event = "store.unavailable", %error, "a stream looks again later");
                return;
            }
        };
        if running.is_empty() {
            self.end();
        }
        let mut gone = Vec::new();
        for call in running {
            if shared.may_run(session, call.id, &call.instance).await {
                continue;
            }
            let buried = self.gone.contains(&call.id) && {
                tracing::warn!(event = "call.lost", %session, call = %call.id,
                    instance = %call.instance, "a call went with the instance that ran it");
                let buried = shared.store.bury(session, call.id).await;
                matches!(buried, Ok(Said::Kept { .. } | Said::Ended | Said::Gone))
            };
            if !buried {
                gone.push(call.id);
            }
        }
        self.gone = gone;
    }
}
