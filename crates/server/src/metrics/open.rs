//! What is there at this moment, and how much of it there may be.

use std::sync::Arc;

use mcp_everything_features::Everything;
use mcp_everything_store::Limiter;
use mcp_everything_transport::{Endpoint, Figures};
use prometheus_client::registry::Registry;

use super::asked::Asked;
use crate::{http::Health, net::Room, settings::RateLimits};

/// What others know.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    connections_limit: Asked,
    ready: Asked,
    sessions: Asked,
    streams: Asked,
    calls: Asked,
    calls_limit: Asked,
    held: Asked,
    held_limit: Asked,
    tasks: Asked,
    rate_limited: Asked,
}

impl Open {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let open = Self {
            connections_limit: Asked::gauge(None),
            ready: Asked::gauge(Some("server")),
            sessions: Asked::gauge(None),
            streams: Asked::gauge(Some("kind")),
            calls: Asked::gauge(None),
            calls_limit: Asked::gauge(None),
            held: Asked::gauge(None),
            held_limit: Asked::gauge(None),
            tasks: Asked::gauge(None),
            rate_limited: Asked::counter(Some("limit")),
        };
        for (name, help, metric) in [
            ("connections_limit", "Connections that may be open", &open.connections_limit),
            ("ready", "Whether requests should come here: /readyz is green", &open.ready),
            ("sessions_live", "Sessions in the memory of this process", &open.sessions),
            ("streams_open", "Event streams that are open here", &open.streams),
            ("calls_open", "Calls that are more than short and run here", &open.calls),
            ("calls_limit", "Calls that may run at a time", &open.calls_limit),
            ("requests_held", "Requests that wait for a store that is away", &open.held),
            ("requests_held_limit", "Requests that may wait for it", &open.held_limit),
            ("tasks_running", "Tasks that are worked on here", &open.tasks),
            ("rate_limited", "What a rate limit refused", &open.rate_limited),
        ] {
            registry.register(name, help, metric.clone());
        }
        open
    }

    /// Asks how much room there is.
    pub(crate) fn ask_room(&self, room: &Room) {
        let most = room.most() as u64;
        self.connections_limit.ask_for(move || most);
    }

    /// Asks whether a server takes requests.
    pub(crate) fn ask_health(&self, server: &'static str, health: Health) {
        self.ready.ask(server, move || u64::from(health.is_ready()));
    }

    /// Asks how many sessions there are in memory.
    pub(crate) fn ask_sessions(&self, count: impl Fn() -> usize + Send + Sync + 'static) {
        self.sessions.ask_for(move || count() as u64);
    }

    /// Asks what each limit refused.
    pub(crate) fn ask_limits(&self, limiter: &Arc<Limiter>) {
        for limit in RateLimits::names() {
            let limiter = Arc::clone(limiter);
            self.rate_limited.ask(limit, move || limiter.refused(limit));
        }
    }

    /// Asks what is open at an endpoint.
    pub(crate) fn ask_endpoint(&self, endpoint: &Endpoint<Everything>) {
        let figure = |figure: fn(Figures) -> usize| {
            let endpoint = endpoint.clone();
            move || figure(endpoint.figures()) as u64
        };
        self.streams.ask("standalone", figure(|open| open.streams));
        self.streams.ask("resumed", figure(|open| open.resumed));
        self.calls.ask_for(figure(|open| open.calls));
        self.held.ask_for(figure(|open| open.held));
        self.tasks.ask_for(figure(|open| open.tasks));
        self.calls_limit.ask_for(figure(|open| open.calls_limit));
        self.held_limit.ask_for(figure(|open| open.held_limit));
    }
}
