//! `/healthz` says that the process lives, `/readyz` that it should be sent requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::get};
use http::StatusCode;
use serde_json::{Value, json};

/// Whether this instance takes requests.
#[derive(Clone, Debug)]
pub(crate) struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: &'static str,
    draining: AtomicBool,
    store_away: AtomicBool,
    auth_server_missing: AtomicBool,
    /// In microseconds; nothing is known by 0.
    round_trip: AtomicU64,
}

impl Health {
    /// Of an instance with this kind of store.
    pub(crate) fn new(store: &'static str) -> Self {
        Self(Arc::new(Inner {
            store,
            draining: AtomicBool::new(false),
            store_away: AtomicBool::new(false),
            auth_server_missing: AtomicBool::new(false),
            round_trip: AtomicU64::new(0),
        }))
    }

    /// Asks balancers to send requests elsewhere from now on.
    pub(crate) fn drain(&self) {
        self.0.draining.store(true, Ordering::SeqCst);
    }

    /// Says whether the store answers. Returns whether that is news.
    pub(crate) fn set_store_away(&self, away: bool) -> bool {
        self.0.store_away.swap(away, Ordering::SeqCst) != away
    }

    /// Says whether the authorization server is still looked for.
    pub(crate) fn set_auth_server_missing(&self, missing: bool) {
        self.0.auth_server_missing.store(missing, Ordering::SeqCst);
    }

    /// Says how long the store took to answer.
    pub(crate) fn answered_in(&self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        self.0.round_trip.store(micros.max(1), Ordering::Relaxed);
    }

    /// How long it took the last time that it did, if it is another process.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        let micros = self.0.round_trip.load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// Whether requests should come here.
    pub(crate) fn is_ready(&self) -> bool {
        self.against().is_none()
    }

    /// Why requests should go elsewhere, in a word for machines.
    pub(crate) fn against(&self) -> Option<&'static str> {
        if self.0.draining.load(Ordering::SeqCst) {
            Some("draining")
        } else if self.0.store_away.load(Ordering::SeqCst) {
            Some("store_unavailable")
        } else if self.0.auth_server_missing.load(Ordering::SeqCst) {
            Some("auth_server_not_found")
        } else {
            None
        }
    }
}

/// Where it is asked.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// The routes, for any host and without a token: balancers name neither.
pub(crate) fn health(health: Health) -> Router {
    Router::new()
        .route(PATHS[0], get(|| async { Json(json!({ "status": "ok" })) }))
        .route(PATHS[1], get(ready))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let store = health.0.store;
    match health.against() {
        Some(reason) => {
            let body = json!({ "status": "not_ready", "reason": reason, "store": store });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
        }
        None => (StatusCode::OK, Json(json!({ "status": "ready", "store": store }))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_says_why_not() {
        let health = Health::new("redis");
        let says = async || {
            let (status, Json(body)) = ready(State(health.clone())).await;
            (status.as_u16(), body["reason"].as_str().map(str::to_owned))
        };
        assert_eq!(says().await, (200, None));
        health.set_auth_server_missing(true);
        assert_eq!(says().await, (503, Some("auth_server_not_found".to_owned())));
        health.set_auth_server_missing(false);
        assert!(health.set_store_away(true) && !health.set_store_away(true));
        assert_eq!(says().await, (503, Some("store_unavailable".to_owned())));
        assert!(health.set_store_away(false));
        assert_eq!(says().await, (200, None));
        health.drain();
        health.set_store_away(true);
        assert_eq!(says().await, (503, Some("draining".to_owned())), "it does not come back");
    }
}
