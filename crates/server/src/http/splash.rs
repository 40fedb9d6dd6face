//! `/`: what this is and how to connect to it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};
use mcp_everything_oauth::BaseUri;

const STYLE: &str = include_str!("../../assets/splash.css");
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "splash.html")]
struct Splash {
    version: &'static str,
    endpoint: String,
    /// What the public URL has before each path.
    path: String,
    authenticated: bool,
    /// Whether users sign in here, and so have an account page.
    signs_in: bool,
}

/// The page and its style.
pub(crate) fn splash(base_uri: &BaseUri, authenticated: bool, signs_in: bool) -> Router {
    let page = Splash {
        version: env!("CARGO_PKG_VERSION"),
        endpoint: base_uri.join("/mcp"),
        path: base_uri.path().trim_end_matches('/').to_owned(),
        authenticated,
        signs_in,
    };
    Router::new().route("/", get(show)).route("/splash.css", get(style)).with_state(Arc::new(page))
}

async fn show(State(page): State<Arc<Splash>>) -> Response {
    match page.render() {
        Ok(html) => {
            let policy = HeaderValue::from_static(POLICY);
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
        }
        Err(error) => {
            tracing::error!(event = "error", %error, "the splash page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}
