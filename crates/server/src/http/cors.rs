//! Cross-origin requests of browsers.

use std::time::Duration;

use http::{HeaderName, Method, header};
use mcp_everything_transport::OriginPolicy;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// What a client in a browser must be able to read. Without these it can neither hold a session
/// nor learn where to sign in.
const EXPOSED: [HeaderName; 5] = [
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("mcp-session-id"),
    HeaderName::from_static("mcp-protocol-version"),
    header::RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
];

/// Pages for people, who come by navigation: no script of another origin has business there.
const PAGES: [&str; 3] = ["/authorize", "/fakeupstreamauth", "/account"];

/// Answers preflights before anything else looks at them, and names the origin on every response
/// to an allowed one. Requested headers are echoed: the `Mcp-Param-*` of 2026-07-28 have no fixed
/// names, and what an allowed origin may send is not limited otherwise.
pub(crate) fn cors(origins: OriginPolicy) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, request| {
            let path = request.uri.path();
            origins.allows_origin(origin) && !PAGES.iter().any(|page| path.starts_with(page))
        }))
        .allow_methods([Method::GET, Method::POST, Method::DELETE, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED)
        .max_age(Duration::from_secs(24 * 60 * 60))
}
