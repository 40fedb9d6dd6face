//! A route that panics answers 500. The panic itself is in the log (see `telemetry`).

use std::any::Any;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;

type Answer = fn(Box<dyn Any + Send>) -> Response<Body>;

pub(crate) fn catch_panics() -> CatchPanicLayer<Answer> {
    CatchPanicLayer::custom(answer as Answer)
}

fn answer(_: Box<dyn Any + Send>) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(json!({ "error": "server_error" })))
        .into_response()
}
