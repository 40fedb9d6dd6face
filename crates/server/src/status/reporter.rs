//! Says what goes on here, and reads what the others say while somebody looks.

use std::sync::{Arc, Mutex, PoisonError};

use mcp_everything_features::Everything;
use mcp_everything_store::Timestamp;
use mcp_everything_transport::Endpoint;
use tokio::time::{Duration, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{BusHealth, Report, Reports, SeenSessions, Status, history::History};
use crate::{
    http::Health,
    metrics::{self, Metrics, Route},
};

const SECOND: Duration = Duration::from_secs(1);
/// How often it is said while nobody looks, in seconds.
const SELDOM: u64 = 10;
/// How long it counts: long enough for one to be lost.
const LIFE_WHILE_LOOKED_AT: Duration = Duration::from_secs(5);
const LIFE: Duration = Duration::from_secs(30);

/// What there is to say of this instance.
pub(crate) struct Local {
    pub(crate) started: Timestamp,
    pub(crate) store: &'static str,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sessions: Arc<SeenSessions>,
    pub(crate) health: Health,
    pub(crate) endpoint: Endpoint<Everything>,
    pub(crate) bus: BusHealth,
}

impl Status {
    /// Runs until `stop`.
    pub(crate) async fn report(self: Arc<Self>, local: Local, stop: CancellationToken) {
        let history = Mutex::new(History::default());
        let noting = note(&local, &history);
        let both = async { tokio::join!(noting, self.say(&local, &history)) };
        stop.run_until_cancelled(both).await;
    }

    async fn say(&self, local: &Local, history: &Mutex<History>) {
        let mut seconds = ticks();
        for second in 0_u64.. {
            seconds.tick().await;
            let is_looked_at = self.is_looked_at();
            if !is_looked_at && second % SELDOM != 0 {
                continue;
            }
            let report = self.now(local, history);
            let life = if is_looked_at { LIFE_WHILE_LOOKED_AT } else { LIFE };
            let said = self.store.report(&self.instance, report.written(), life).await;
            let read = match said {
                Ok(()) if self.reports.receiver_count() == 0 => continue,
                Ok(()) => self.store.reports().await.map(Reports::read),
                Err(error) => Err(error),
            };
            let reports = read.unwrap_or_else(|error| {
                tracing::debug!(event = "store.unavailable", %error,
                    "instances do not know of each other how they are");
                Reports::alone(self.instance.clone(), report, &error)
            });
            self.reports.send_replace(Arc::new(reports));
        }
    }

    fn now(&self, local: &Local, history: &Mutex<History>) -> Report {
        let figures = local.endpoint.figures();
        let state = local.health.against().unwrap_or("ready");
        let round_trip = local.health.round_trip();
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: local.started.as_millis(),
            at: self.clock.now().as_millis(),
            state: state.to_owned(),
            store: local.store.to_owned(),
            streams: figures.streams,
            requests: figures.requests,
            calls: figures.calls,
            tasks: figures.tasks,
            seen: local.sessions.seen().written(),
            seconds: history.lock().unwrap_or_else(PoisonError::into_inner).seconds(),
            round_trip: round_trip.map(|span| u64::try_from(span.as_micros()).unwrap_or(u64::MAX)),
            beat: local.bus.beat().map(millis),
        }
    }
}

/// Notes each second, also while the store is slow.
async fn note(local: &Local, history: &Mutex<History>) {
    let mut seconds = ticks();
    for second in 1_u64.. {
        seconds.tick().await;
        history.lock().unwrap_or_else(PoisonError::into_inner).note(totals(&local.metrics));
        if second % 60 == 0 {
            local.sessions.turn();
        }
    }
}

/// How many requests there were, and how many of them were answered with an error; but for those
/// that ask how the server is.
fn totals(metrics: &Metrics) -> [u64; 2] {
    let counts =
        |route| !matches!(route, Route::Health | Route::Ready | Route::Metrics | Route::Status);
    let is_error =
        |status| matches!(status, metrics::Status::ClientError | metrics::Status::ServerError);
    [
        metrics.http.count(|route, _| counts(route)),
        metrics.http.count(|route, status| counts(route) && is_error(status)),
    ]
}

fn ticks() -> Interval {
    let mut ticks = interval(SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
