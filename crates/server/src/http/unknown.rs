//! What no route answers: a wrong path, and a method that a path does not have.

use axum::{Json, Router};
use http::{Method, StatusCode};
use mcp_everything_oauth::BaseUri;
use serde_json::{Value, json};

/// Says what is wrong to whoever asks the routes so far for something else. The body has the form of
/// the OAuth errors beside it.
pub(crate) fn unknown(routes: Router, base_uri: &BaseUri) -> Router {
    let endpoint = base_uri.join("/mcp");
    let not_found = move || async move {
        let reason = format!("there is nothing at this path; the MCP endpoint is {endpoint}");
        (StatusCode::NOT_FOUND, described("not_found", &reason))
    };
    let not_allowed = |method: Method| async move {
        let reason = format!("{method} is not allowed at this path");
        (StatusCode::METHOD_NOT_ALLOWED, described("method_not_allowed", &reason))
    };
    routes.method_not_allowed_fallback(not_allowed).fallback(not_found)
}

fn described(error: &str, reason: &str) -> Json<Value> {
    Json(json!({ "error": error, "error_description": reason }))
}
