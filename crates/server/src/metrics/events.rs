//! Lines of the log, by the name of their event: whatever happens rarely enough to be told is counted
//! where it is told.
//!
//! It does not matter which of them `RUST_LOG` has written. Those of requests say themselves that they
//! are told: there is one for each request, and where none are written nobody has to hear of it.

use mcp_everything_oauth::GRANT_TYPES;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    layer::Context,
    registry::LookupSpan,
};

use super::family::{Family, Label, label};
use crate::http::REQUESTS;

/// The events of level info and above, as `docs/logging.md` has them, in the order of the alphabet. A
/// test holds them to the source.
pub(crate) const EVENTS: &[&str] = &[
    "answer.late",
    "auth.account.opened",
    "auth.account.refused",
    "auth.account.revoked",
    "auth.client.document_fetched",
    "auth.client.document_refused",
    "auth.client.refused",
    "auth.client.registered",
    "auth.client.rejected",
    "auth.code.issued",
    "auth.code.replayed",
    "auth.consent.denied",
    "auth.consent.granted",
    "auth.consent.shown",
    "auth.documents_off",
    "auth.elicitation.refused",
    "auth.elicitation.settled",
    "auth.login.failed",
    "auth.off",
    "auth.refresh.reused",
    "auth.request.refused",
    "auth.server.awaited",
    "auth.server.found",
    "auth.server.registered",
    "auth.server.unavailable",
    "auth.store.failed",
    "auth.token.issued",
    "auth.token.refreshed",
    "auth.token.refused",
    "auth.token.rejected",
    "auth.token.revoked",
    "auth.upstream.failed",
    "auth.upstream.found",
    "bus.connected",
    "bus.lost",
    "bus.unavailable",
    "bus.unheard",
    "bus.unreadable",
    "call.cut",
    "call.lost",
    "call.not_resumable",
    "changes.unknown",
    "config.hint",
    "config.loopback_only",
    "config.unknown",
    "conformance.on",
    "connections.refused",
    "error",
    "faults.on",
    "fetch.off",
    "fetch.refused",
    "grant.revoked",
    "handler.panicked",
    "health.not_ready",
    "health.ready",
    "http.abandoned",
    "http.host_refused",
    "http.response",
    "limit.exceeded",
    "limits.alone",
    "limits.together",
    "mcp.host_refused",
    "mcp.origin_refused",
    "panic",
    "redis.awaited",
    "redis.connected",
    "redis.lost",
    "request_state.refused",
    "server.accept_failed",
    "server.draining",
    "server.failed",
    "server.killed",
    "server.started",
    "server.stopped",
    "server.stopping",
    "session.ended",
    "session.expired",
    "session.incomplete",
    "session.started",
    "sessions.gone",
    "shutdown.calls_cut",
    "stdio.closed",
    "stdio.unread",
    "stdio.unreadable",
    "store.corrupt",
    "store.unavailable",
    "stream.lost",
    "stream.opened",
    "stream.resumed",
    "task.lost",
    "task.unended",
    "tls.not_renewed",
    "tls.renewed",
    "traces.lost",
    "traces.sent",
];

/// What the targets of lines of this server begin with.
const OWN: &str = "mcp_everything";

label! {
    /// How serious a line is.
    Severity = "severity" {
        Info = "info",
        Warning = "warning",
        Error = "error",
    }
}

/// What the log of this process told.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    lines: Family<Counter, 1>,
    by_name: Family<Counter, 1>,
    tokens: Family<Counter, 1>,
}

impl Events {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let by_name = Family::all([Label::new("event", EVENTS.iter().copied())]);
        let lines = Family::all([Severity::label()]);
        let tokens = Family::all([Label::new("grant_type", GRANT_TYPES)]);
        registry.register(
            "log_lines",
            "Lines of the log, of severity info and above",
            lines.clone(),
        );
        registry.register("events", "Lines of the log by the name of their event", by_name.clone());
        registry.register("tokens_issued", "Access tokens that were issued", tokens.clone());
        Self { lines, by_name, tokens }
    }

    /// What hears of every line, written or not, if lines are counted. If they are not, it has its
    /// filter all the same: a layer that is not there would count as one that is told of everything.
    pub(crate) fn layer<S>(counted: Option<Self>) -> impl Layer<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let counts = counted.is_some();
        let own = filter_fn(move |metadata| {
            counts
                && metadata.is_event()
                && *metadata.level() <= Level::INFO
                && metadata.target().starts_with(OWN)
                && metadata.target() != REQUESTS
        });
        counted.map(Heard).with_filter(own.with_max_level_hint(LevelFilter::INFO))
    }

    /// Counts a line that is not heard of.
    pub(crate) fn told(&self, severity: Severity, event: &str) {
        let event = EVENTS.binary_search(&event).ok();
        self.count(severity, &Told { event, grant_type: None });
    }

    fn count(&self, severity: Severity, told: &Told) {
        self.lines.at([severity as usize]).inc();
        let Some(event) = told.event else { return };
        self.by_name.at([event]).inc();
        if let Some(grant_type) = told.grant_type {
            self.tokens.at([grant_type]).inc();
        }
    }
}

struct Heard(Events);

impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let severity = match *event.metadata().level() {
            Level::ERROR => Severity::Error,
            Level::WARN => Severity::Warning,
            _ => Severity::Info,
        };
        let mut told = Told::default();
        event.record(&mut told);
        self.0.count(severity, &told);
    }
}

/// What is looked at of a line.
#[derive(Default)]
struct Told {
    /// Its place among [`EVENTS`].
    event: Option<usize>,
    /// Of a token that was issued: its place among [`GRANT_TYPES`].
    grant_type: Option<usize>,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "event" => self.event = EVENTS.binary_search(&value).ok(),
            "grant_type" => self.grant_type = GRANT_TYPES.iter().position(|one| *one == value),
            _ => {}
        }
    }

    /// Nothing else is written out.
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn they_can_be_searched() {
        assert!(EVENTS.is_sorted());
    }

    #[test]
    fn lines_are_counted_whether_they_are_written_or_not() {
        let events = Events::new(&mut Registry::default());
        let quiet = tracing_subscriber::fmt::layer().with_filter(LevelFilter::OFF);
        let heard =
            tracing_subscriber::registry().with(quiet).with(Events::layer(Some(events.clone())));
        tracing::subscriber::with_default(heard, || {
            let line = || tracing::warn!(event = "redis.lost", link = "hot", "lost");
            line();
            line();
            tracing::info!(event = "auth.token.issued", grant_type = "refresh_token", "issued");
            tracing::info!(event = "no.such.event", "never in the source");
            tracing::debug!(event = "redis.lost", "not told");
            tracing::error!(target: "elsewhere", event = "redis.lost", "of a library");
        });
        let event = |name: &str| events.by_name.at([EVENTS.binary_search(&name).unwrap()]).get();
        assert_eq!((event("redis.lost"), event("auth.token.issued")), (2, 1));
        let lines = |severity: Severity| events.lines.at([severity as usize]).get();
        assert_eq!((lines(Severity::Warning), lines(Severity::Info)), (2, 2));
        assert_eq!(lines(Severity::Error), 0);
        let tokens = [0, 1, 2, 3].map(|grant_type| events.tokens.at([grant_type]).get());
        assert_eq!(tokens, [0, 1, 0, 0]);
    }
}
