//! What the pages of the server are shown with: their style, their script and their icon.

use axum::{Router, routing::get};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use mcp_everything_features::Glyph;

const STYLE: &str = include_str!("../../assets/splash.css");
const SCRIPT: &str = include_str!("../../assets/splash.js");

/// What pages with these may load.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// A page is new with each version, and so is what it is shown with.
const CACHE: [(http::HeaderName, &str); 1] = [(CACHE_CONTROL, "no-cache")];

/// The routes, for every server.
pub(crate) fn assets() -> Router {
    let asset = |kind: &'static str, content: &'static [u8]| {
        get(move || async move { (CACHE, [(CONTENT_TYPE, kind)], content) })
    };
    Router::new()
        .route("/splash.css", asset("text/css; charset=utf-8", STYLE.as_bytes()))
        .route("/splash.js", asset("text/javascript; charset=utf-8", SCRIPT.as_bytes()))
        // Browsers ask for it of their own accord. What it is, the type says and not the name.
        .route("/favicon.ico", asset("image/png", Glyph::Server.png()))
}
