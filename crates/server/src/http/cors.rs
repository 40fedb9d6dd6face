//! Cross-origin requests of browsers (Fetch, section 3.3).

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderValue, Method, header};
use mcp_everything_transport::OriginPolicy;

/// What a client in a browser must be able to read. Without these it can neither hold a session
/// nor learn where to sign in.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "www-authenticate,mcp-session-id,mcp-protocol-version,retry-after,dpop-nonce,x-request-id",
);

const METHODS: HeaderValue = HeaderValue::from_static("GET,POST,DELETE,OPTIONS");

/// How long a browser may remember the answer to a preflight, in seconds: a day.
const REMEMBERED: HeaderValue = HeaderValue::from_static("86400");

/// What an answer depends on, for whoever keeps it for others.
const VARY: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);

/// How many headers a response is given from here on: these, those of security, and an id. Room for
/// more would be kept with every open stream.
const TO_COME: usize = 8;

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

/// Names the origin on every response to one that may read it: everybody of what is open, nobody of
/// pages, and those that are allowed of the rest.
pub(super) struct Cors(pub(super) OriginPolicy);

impl Cors {
    /// Who may read the response to a request.
    pub(super) fn reader(&self, request: &Request) -> Reader {
        let path = request.uri().path();
        let is_one_of = |paths: &[&str]| paths.iter().any(|one| path.starts_with(one));
        let may_read = |origin: &&HeaderValue| {
            !is_one_of(&PAGES) && (is_one_of(&OPEN) || self.0.allows_origin(origin))
        };
        let origin = request.headers().get(header::ORIGIN).filter(may_read);
        // A copy: it would keep the buffer that the request came in.
        Reader { origin: origin.and_then(|origin| HeaderValue::from_bytes(origin.as_bytes()).ok()) }
    }
}

/// Who may read a response.
pub(super) struct Reader {
    /// The origin that may read it, if the request came from one.
    origin: Option<HeaderValue>,
}

impl Reader {
    /// The answer to a preflight, which nothing else looks at. Requested headers are echoed: the
    /// `Mcp-Param-*` of 2026-07-28 have no fixed names, and what an allowed origin may send is not
    /// limited otherwise.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        if request.method() != Method::OPTIONS {
            return None;
        }
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        if let Some(wanted) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        self.name(headers);
        Some(response)
    }

    /// Completes the headers of a response.
    pub(super) fn named_in(self, headers: &mut HeaderMap) {
        headers.reserve(TO_COME);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        self.name(headers);
    }

    fn name(&self, headers: &mut HeaderMap) {
        headers.append(header::VARY, VARY);
        if let Some(origin) = &self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }
}
