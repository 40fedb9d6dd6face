//! What no route answers: a wrong path, and a method that a path does not have.

use std::sync::Arc;

use axum::{Extension, Json, Router};
use http::{Method, StatusCode};
use mcp_everything_store::Refused;
use serde_json::{Value, json};

use super::Listed;

/// Says what is wrong to whoever asks the routes so far for something else, where to go, and what
/// there is. The body has the form of the OAuth errors beside it.
pub(crate) fn unknown(routes: Router, hint: &str, there: Arc<[Listed]>) -> Router {
    let reason = format!("there is nothing at this path; {hint}");
    let not_found = move || async move {
        let mut body = described("not_found", &reason);
        body["endpoints"] = there.iter().map(|one| (one.path, one.what)).collect();
        (StatusCode::NOT_FOUND, Extension(Refused("not_found")), Json(body))
    };
    let hint = hint.to_owned();
    let not_allowed = move |method: Method| async move {
        let reason = format!("{method} is not allowed at this path; {hint}");
        let body = described("method_not_allowed", &reason);
        (StatusCode::METHOD_NOT_ALLOWED, Extension(Refused("method_not_allowed")), Json(body))
    };
    routes.method_not_allowed_fallback(not_allowed).fallback(not_found)
}

fn described(error: &str, reason: &str) -> Value {
    json!({ "error": error, "error_description": reason })
}
