//! `/metrics`: what this process has counted, for Prometheus.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{StatusCode, header};

use crate::metrics::{CONTENT_TYPE, Metrics};

pub(super) const PATH: &str = "/metrics";

/// The route; who may ask is for whoever mounts it to say.
pub(crate) fn metrics(metrics: Arc<Metrics>) -> Router {
    Router::new().route(PATH, get(show)).with_state(metrics)
}

async fn show(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(event = "error", %error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
