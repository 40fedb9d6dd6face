//! What no route answers: a wrong path, and a method that a path does not have.

use axum::{Json, Router};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// Says what is wrong to whoever asks the routes so far for something else, and where to go. The
/// body has the form of the OAuth errors beside it.
pub(crate) fn unknown(routes: Router, hint: &str) -> Router {
    let reason = format!("there is nothing at this path; {hint}");
    let not_found = move || async move { (StatusCode::NOT_FOUND, described("not_found", &reason)) };
    let hint = hint.to_owned();
    let not_allowed = move |method: Method| async move {
        let reason = format!("{method} is not allowed at this path; {hint}");
        (StatusCode::METHOD_NOT_ALLOWED, described("method_not_allowed", &reason))
    };
    routes.method_not_allowed_fallback(not_allowed).fallback(not_found)
}

fn described(error: &str, reason: &str) -> Json<Value> {
    Json(json!({ "error": error, "error_description": reason }))
}
