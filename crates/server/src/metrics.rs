//! What this process counts, and how it says so: the text format of Prometheus.
//!
//! `docs/metrics.md` lists every metric. Where something is counted there is a handle made beforehand:
//! nothing is looked up by name, and no label has a value that a client chose.

mod durations;
mod family;
mod http;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use prometheus_client::{encoding::prometheus_text, registry::Registry};

use self::http::Http;
pub(crate) use self::http::{Route, Status};

/// Of the text.
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;
/// What the name of each metric begins with that is this server's own.
const PREFIX: &str = "mcp";

/// Everything that this process counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    pub(crate) http: Http,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let own = registry.sub_registry_with_prefix(PREFIX);
        let http = Http::new(own);
        Self { registry: Mutex::new(registry), http }
    }

    /// All of it as Prometheus reads it.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus_text::encode(&mut text, &registry)?;
        Ok(text)
    }
}
