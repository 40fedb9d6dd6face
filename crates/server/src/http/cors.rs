//! Cross-origin requests of browsers.

use std::time::Duration;

use http::{HeaderName, Method, header};
use mcp_everything_transport::OriginPolicy;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// What a client in a browser must be able to read. Without these it can neither hold a session
/// nor learn where to sign in.
const EXPOSED: [HeaderName; 6] = [
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("mcp-session-id"),
    HeaderName::from_static("mcp-protocol-version"),
    header::RETRY_AFTER,
    HeaderName::from_static("dpop-nonce"),
    HeaderName::from_static("x-request-id"),
];

/// Pages for people, who come by navigation: no script of another origin has business there
/// (OAuth 2.1, section 3.1). Nor with what is told of the server itself, on loopback without a token.
const PAGES: [&str; 7] = [
    "/authorize",
    "/fakeupstreamauth",
    "/upstream",
    "/account",
    "/elicitation",
    "/metrics",
    "/status",
];

/// What a client in a browser asks on its way to a token, wherever its page is from (OAuth 2.1,
/// section 3.2). None of it looks at a cookie, so a page learns there what anybody can.
const OPEN: [&str; 5] = ["/.well-known/", "/jwks", "/token", "/register", "/revoke"];

/// Answers preflights before anything else looks at them, and names the origin on every response
/// to one that may read it: everybody of what is open, nobody of pages, and those that are allowed
/// of the rest. Requested headers are echoed: the `Mcp-Param-*` of 2026-07-28 have no fixed names,
/// and what an allowed origin may send is not limited otherwise.
pub(super) fn cors(origins: OriginPolicy) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, request| {
            let path = request.uri.path();
            let is_one_of = |paths: &[&str]| paths.iter().any(|one| path.starts_with(one));
            !is_one_of(&PAGES) && (is_one_of(&OPEN) || origins.allows_origin(origin))
        }))
        .allow_methods([Method::GET, Method::POST, Method::DELETE, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED)
        .max_age(Duration::from_secs(24 * 60 * 60))
}
