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
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// Sessions that can be spoken to.
#[async_trait]
pub(crate) trait Audience: Send + Sync + 'static {
    /// What names one of them.
    type Session: Copy + Send;

    /// Those that hear what is said now, and what their clients have set.
    async fn listening(&self) -> Vec<Listening<Self::Session>>;

    /// Those of them that have switched something on for themselves.
    async fn switched(&self) -> Vec<Listening<Self::Session>>;

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

/// When anything is said at all: what is due at the same time is said after one look at who hears it.
const TICK: Duration = notifications::TOGGLED;
/// Every so many ticks something may be due for everybody; at the others, for those who have
/// switched it on.
const FOR_ALL: u64 = 2;

const _: () = {
    let for_all = TICK.as_secs() * FOR_ALL;
    assert!(
        notifications::RESOURCE_UPDATES.as_secs().is_multiple_of(for_all)
            && notifications::LOG_MESSAGES.as_secs().is_multiple_of(for_all)
            && notifications::STDERR_MESSAGES.as_secs().is_multiple_of(for_all)
    );
};

impl<A: Audience> Unasked<A> {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut ticks = interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 1.. {
            tokio::select! {
                _ = ticks.tick() => self.speak(number).await,
                () = stop.cancelled() => return,
            }
        }
    }

    async fn speak(&self, number: u64) {
        let hearing = if number.is_multiple_of(FOR_ALL) {
            self.audience.listening().await
        } else {
            self.audience.switched().await
        };
        for heard in hearing {
            let said = self.due(number, &heard);
            if !said.is_empty() {
                self.audience.send_now(heard.session, said).await;
            }
        }
    }

    /// What a session is told at the tick of this number.
    fn due(&self, number: u64, to: &Listening<A::Session>) -> Vec<ServerNotification> {
        let is_time = |period: Duration| number.is_multiple_of(period.as_secs() / TICK.as_secs());
        let updated = |uri: &String| notifications::resource_updated(uri.clone());
        let mut said = Vec::new();
        if is_time(notifications::RESOURCE_UPDATES) {
            let seeming = to.subscriptions.iter();
            let seeming = seeming.filter(|uri| notifications::only_seems_to_change(uri));
            said.extend(seeming.map(updated));
        }
        let mut say = |(level, message): (LoggingLevel, ServerNotification)| {
            if notifications::passes(level, to.level) {
                said.push(message);
            }
        };
        // What a session has switched on for itself.
        if to.switches.contains(notifications::SIMULATED_LOGGING) {
            say(notifications::simulated_log_message(self.pick(), &to.id));
        }
        if is_time(notifications::LOG_MESSAGES) {
            say(notifications::log_message(self.pick()));
        }
        if to.switches.contains(notifications::SUBSCRIBER_UPDATES) {
            said.extend(to.subscriptions.iter().map(updated));
        }
        if is_time(notifications::STDERR_MESSAGES) {
            said.push(notifications::stderr_message(self.clock.now().as_secs()));
        }
        said
    }

    fn pick(&self) -> u64 {
        let mut pick = [0; 8];
        self.random.fill(&mut pick);
        u64::from_le_bytes(pick)
    }
}
