//! What the server says unasked, at fixed intervals, on the standalone streams that are open here.
//!
//! One task for all of them. What comes again anyway is sent now or never.

use std::{sync::Arc, time::Duration};

use mcp_everything_features::{Everything, notifications};
use mcp_everything_store::{Clock, Random, SessionId, SessionState};
use mcp_everything_transport::Endpoint;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::session::to_rmcp;

pub(crate) struct Unasked {
    pub(crate) endpoint: Endpoint<Everything>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Unasked {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut updates = every(notifications::RESOURCE_UPDATES);
        let mut messages = every(notifications::LOG_MESSAGES);
        let mut stderr = every(notifications::STDERR_MESSAGES);
        loop {
            tokio::select! {
                _ = updates.tick() => self.updates().await,
                _ = messages.tick() => self.messages().await,
                _ = stderr.tick() => self.stderr().await,
                () = stop.cancelled() => return,
            }
        }
    }

    async fn updates(&self) {
        for (session, state) in self.open().await {
            let updates = state.subscriptions.into_iter().map(notifications::resource_updated);
            self.endpoint.send_now(session, updates.collect());
        }
    }

    async fn messages(&self) {
        for (session, state) in self.open().await {
            let mut pick = [0; 8];
            self.random.fill(&mut pick);
            let (level, message) = notifications::log_message(u64::from_le_bytes(pick));
            if notifications::passes(level, to_rmcp(state.level)) {
                self.endpoint.send_now(session, vec![message]);
            }
        }
    }

    async fn stderr(&self) {
        let now = self.clock.now().as_secs();
        for (session, _) in self.open().await {
            self.endpoint.send_now(session, vec![notifications::stderr_message(now)]);
        }
    }

    /// The sessions to speak to, and what their clients have set.
    async fn open(&self) -> Vec<(SessionId, SessionState)> {
        self.endpoint.open_streams().await.unwrap_or_else(|error| {
            tracing::debug!(event = "store.unavailable", %error, "a tick is left out");
            Vec::new()
        })
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
