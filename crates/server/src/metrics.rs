//! What this process counts, and how it says so: the text format of Prometheus.
//!
//! `docs/metrics.md` lists every metric. Where something is counted there is a handle made beforehand:
//! nothing is looked up by name, and no label has a value that a client chose.

mod asked;
mod calls;
mod durations;
mod events;
mod family;
mod http;
mod net;
mod open;
mod process;
mod redis;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use mcp_everything_store::InstanceId;
use prometheus_client::{encoding::prometheus_text, metrics::info::Info, registry::Registry};

pub(crate) use self::{
    calls::Calls,
    events::{Events, Severity},
    http::{Route, Status},
    net::Net,
    redis::Redis,
};
use self::{http::Http, open::Open, process::Process};

/// Of the text.
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;
/// What the name of each metric begins with that is this server's own.
const PREFIX: &str = "mcp";

/// Everything that this process counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    pub(crate) http: Http,
    pub(crate) net: Net,
    pub(crate) open: Open,
    pub(crate) events: Events,
}

impl Metrics {
    /// Of a process that calls itself `instance` among its kind.
    pub(crate) fn new(instance: &InstanceId) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        let own = registry.sub_registry_with_prefix(PREFIX);
        let build =
            [("version", env!("CARGO_PKG_VERSION").to_owned()), ("id", instance.to_string())];
        own.register(
            "build",
            "Which version this is, and the name that its log has",
            Info::new(build.to_vec()),
        );
        let (http, net, open) = (Http::new(own), Net::new(own), Open::new(own));
        let events = Events::new(own);
        Self { registry: Mutex::new(registry), http, net, open, events }
    }

    /// What handlers are asked; the server has these tools.
    pub(crate) fn calls(&self, tools: Vec<String>) -> Arc<Calls> {
        self.add(|own| Arc::new(Calls::new(own, tools)))
    }

    /// What passes between this process and Redis.
    pub(crate) fn redis(&self) -> Arc<Redis> {
        self.add(|own| Arc::new(Redis::new(own)))
    }

    fn add<T>(&self, part: impl FnOnce(&mut Registry) -> T) -> T {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        part(registry.sub_registry_with_prefix(PREFIX))
    }

    /// All of it as Prometheus reads it.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus_text::encode(&mut text, &registry)?;
        Ok(text)
    }
}
