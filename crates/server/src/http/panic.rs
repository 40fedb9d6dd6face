//! A route that panics answers 500. The panic itself is in the log (see `telemetry`).

use std::any::Any;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::json;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};

pub(super) fn catch_panics() -> CatchPanicLayer<Answer> {
    CatchPanicLayer::custom(Answer)
}

/// What the client is told: nothing of the inside.
#[derive(Clone, Copy)]
pub(super) struct Answer;

impl ResponseForPanic for Answer {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, _: Box<dyn Any + Send>) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(json!({ "error": "server_error" })))
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::to_bytes, routing::get};
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_tells_nothing() {
        async fn broken() {
            panic!("the inside");
        }
        let routes = Router::new().route("/", get(broken)).layer(catch_panics());
        let request = Request::get("/").body(Body::empty()).unwrap();
        let answer = routes.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(answer.into_body(), 1024).await.unwrap();
        assert_eq!(body, r#"{"error":"server_error"}"#);
    }
}
