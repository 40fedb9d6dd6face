//! `/healthz` says that the process lives, `/readyz` that it should be sent requests.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Json, Router, extract::State, routing::get};
use http::StatusCode;
use serde_json::{Value, json};

/// Whether this instance takes requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    draining: Arc<AtomicBool>,
}

impl Health {
    /// Asks balancers to send requests elsewhere from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }
}

/// The routes, for any host and without a token: balancers name neither.
pub(crate) fn health(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/readyz", get(ready))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    if health.draining.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "draining" })));
    }
    (StatusCode::OK, Json(json!({ "status": "ready", "store": "memory" })))
}
