//! What the server says unasked, at fixed intervals, to whoever listens here.
//!
//! One task for all of them. What comes again anyway is sent now or never.
#![expect(
    deprecated,
    reason = "2026-07-28 deprecates logging (SEP-2577); the revisions before have it"
)]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use mcp_everything_features::notifications;
use mcp_everything_store::{Clock, Random};
use rmcp::model::{LoggingLevel, ServerNotification};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// Sessions that can be spoken to.
#[async_trait]
pub(crate) trait Audience: Send + Sync + 'static {
    /// What names one of them.
    type Session: Copy + Send;

    /// Those that hear what is said now, and what their clients have set.
    async fn listening(&self) -> Vec<Listening<Self::Session>>;

    /// Says it to one of them, now or never.
    async fn send_now(&self, session: Self::Session, notifications: Vec<ServerNotification>);
}

/// A session that hears what is said now.
pub(crate) struct Listening<S> {
    pub(crate) session: S,
    /// Its name, for people.
    pub(crate) id: String,
    /// The least severe level that its client wants to see.
    pub(crate) level: LoggingLevel,
    /// The resources that it subscribed to.
    pub(crate) subscriptions: BTreeSet<String>,
    /// The switches that are on.
    pub(crate) switches: BTreeSet<String>,
}

pub(crate) struct Unasked<A> {
    pub(crate) audience: A,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl<A: Audience> Unasked<A> {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut updates = every(notifications::RESOURCE_UPDATES);
        let mut toggled = every(notifications::TOGGLED);
        let mut messages = every(notifications::LOG_MESSAGES);
        let mut stderr = every(notifications::STDERR_MESSAGES);
        loop {
            tokio::select! {
                _ = updates.tick() => self.updates().await,
                _ = toggled.tick() => self.toggled().await,
                _ = messages.tick() => self.messages().await,
                _ = stderr.tick() => self.stderr().await,
                () = stop.cancelled() => return,
            }
        }
    }

    async fn updates(&self) {
        for Listening { session, subscriptions, .. } in self.audience.listening().await {
            let seeming = subscriptions.into_iter();
            let seeming = seeming.filter(|uri| notifications::only_seems_to_change(uri));
            let updates = seeming.map(notifications::resource_updated).collect();
            self.audience.send_now(session, updates).await;
        }
    }

    /// What a session has switched on for itself.
    async fn toggled(&self) {
        for heard in self.audience.listening().await {
            let Listening { session, id, level: least, subscriptions, switches } = heard;
            let mut said = Vec::new();
            if switches.contains(notifications::SIMULATED_LOGGING) {
                let (level, message) = notifications::simulated_log_message(self.pick(), &id);
                if notifications::passes(level, least) {
                    said.push(message);
                }
            }
            if switches.contains(notifications::SUBSCRIBER_UPDATES) {
                said.extend(subscriptions.into_iter().map(notifications::resource_updated));
            }
            if !said.is_empty() {
                self.audience.send_now(session, said).await;
            }
        }
    }

    fn pick(&self) -> u64 {
        let mut pick = [0; 8];
        self.random.fill(&mut pick);
        u64::from_le_bytes(pick)
    }

    async fn messages(&self) {
        for Listening { session, level: least, .. } in self.audience.listening().await {
            let (level, message) = notifications::log_message(self.pick());
            if notifications::passes(level, least) {
                self.audience.send_now(session, vec![message]).await;
            }
        }
    }

    async fn stderr(&self) {
        let now = self.clock.now().as_secs();
        for Listening { session, .. } in self.audience.listening().await {
            self.audience.send_now(session, vec![notifications::stderr_message(now)]).await;
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
