//! Connections.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// The connections of all listeners of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Net {
    open: Gauge,
    taken: Counter,
    refused: Counter,
}

/// A connection, until it is dropped.
pub(crate) struct Open(Gauge);

impl Net {
    /// `most` may be open.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let net = Self::default();
        registry.register("connections_open", "Connections that are open", net.open.clone());
        registry.register("connections", "Connections that were taken", net.taken.clone());
        registry.register(
            "connections_refused",
            "Connections that were refused, as their address had as many as it may",
            net.refused.clone(),
        );
        net
    }

    /// A connection is served.
    pub(crate) fn opened(&self) -> Open {
        self.taken.inc();
        self.open.inc();
        Open(self.open.clone())
    }

    /// A connection is not served.
    pub(crate) fn refused(&self) {
        self.refused.inc();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
