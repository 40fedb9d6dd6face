//! A route that panics answers 500. The panic itself is in the log (see `telemetry`).

use std::{convert::Infallible, panic::AssertUnwindSafe};

use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use http::StatusCode;
use serde_json::json;

/// What a route answers, or that it panicked: nothing of the inside.
pub(super) async fn answered(
    route: impl Future<Output = Result<Response, Infallible>>,
) -> Response {
    match AssertUnwindSafe(route).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => {
            let body = axum::Json(json!({ "error": "server_error" }));
            (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        routing::get,
    };
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_tells_nothing() {
        async fn broken() {
            panic!("the inside");
        }
        let routes = Router::new().route("/", get(broken));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let answer = answered(routes.oneshot(request)).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(answer.into_body(), 1024).await.unwrap();
        assert_eq!(body, r#"{"error":"server_error"}"#);
    }
}
