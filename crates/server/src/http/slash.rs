//! A slash at the end of a path means nothing: people add one to a URL, and some clients say no more
//! of a 404 than that there is one.

use axum::Router;
use tower_http::normalize_path::NormalizePath;

/// Answers what ends with a slash as what does not. It is taken away before a route is looked for.
pub(crate) fn without_slash(routes: Router) -> Router {
    Router::new().fallback_service(NormalizePath::trim_trailing_slash(routes))
}
