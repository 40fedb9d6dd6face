//! What the server says unasked on the standalone streams that are open here: at fixed intervals,
//! and when a list or a resource changes.
//!
//! One task for all of them. What comes again anyway is sent now or never.

use std::{sync::Arc, time::Duration};

use mcp_everything_features::{Change, Everything, notifications};
use mcp_everything_store::{Clock, Random, SessionId, SessionState, SessionStore};
use mcp_everything_transport::Endpoint;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

use crate::session::to_rmcp;

pub(crate) struct Unasked {
    pub(crate) endpoint: Endpoint<Everything>,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Unasked {
    pub(crate) async fn run(self, mut changes: Receiver<Change>, stop: CancellationToken) {
        let mut updates = every(notifications::RESOURCE_UPDATES);
        let mut messages = every(notifications::LOG_MESSAGES);
        let mut stderr = every(notifications::STDERR_MESSAGES);
        loop {
            tokio::select! {
                _ = updates.tick() => self.updates().await,
                _ = messages.tick() => self.messages().await,
                _ = stderr.tick() => self.stderr(),
                change = changes.recv() => match change {
                    Ok(change) => self.changed(&change).await,
                    Err(RecvError::Lagged(_)) => self.changed(&Change::Missed).await,
                    Err(RecvError::Closed) => return,
                },
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

    async fn changed(&self, change: &Change) {
        for (session, state) in self.open().await {
            for told in notifications::of_change(change, &state.subscriptions) {
                if let Err(error) = self.endpoint.notify(session, told).await {
                    tracing::debug!(event = "stream.lost", %session, %error,
                        "a session was not told of a change");
                }
            }
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

    fn stderr(&self) {
        let now = self.clock.now().as_secs();
        for session in self.endpoint.open_streams() {
            self.endpoint.send_now(session, vec![notifications::stderr_message(now)]);
        }
    }

    /// The sessions with a stream here and what their clients set.
    async fn open(&self) -> Vec<(SessionId, SessionState)> {
        let sessions = self.endpoint.open_streams();
        match self.store.states(&sessions).await {
            Ok(states) => {
                let pairs = sessions.into_iter().zip(states);
                pairs.filter_map(|(session, state)| Some((session, state?))).collect()
            }
            Err(error) => {
                tracing::debug!(event = "store.unavailable", %error, "a tick is left out");
                Vec::new()
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
