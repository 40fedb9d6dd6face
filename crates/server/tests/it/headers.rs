//! What every response carries, whichever route and whatever outcome.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use reqwest::{Response, redirect::Policy};

use serde_json::json;

use crate::support::{Deployment, Mcp, Server, call, sources};

on_every_deployment!(
    every_response_is_guarded,
    every_kind_of_answer_of_the_endpoint_is_guarded,
    a_script_of_another_origin_has_no_business_with_the_pages,
    a_browser_of_an_allowed_origin_can_hold_a_session,
    a_browser_of_any_origin_can_get_a_token,
    another_host_reaches_only_the_health_checks,
);

/// Every route, with a method that is answered and one that is not.
const ROUTES: &[&str] = &[
    "/",
    "/splash.css",
    "/splash.js",
    "/favicon.ico",
    "/healthz",
    "/readyz",
    "/metrics",
    "/status",
    "/status/events",
    "/status/token",
    "/status/leave",
    "/status/sign-in",
    "/status/page.css",
    "/status/page.js",
    "/status/diagram.js",
    "/mcp",
    "/sse",
    "/message",
    "/authorize",
    "/authorize/consent",
    "/account",
    "/account/sign-in",
    "/account/revoke",
    "/account/sign-out",
    "/elicitation/AAAAAAAAAAAAAAAAAAAAAAAA",
    "/elicitation/AAAAAAAAAAAAAAAAAAAAAAAA/sign-in",
    "/token",
    "/register",
    "/revoke",
    "/introspect",
    "/jwks",
    "/fakeupstreamauth/authorize",
    "/fakeupstreamauth/redirect",
    "/fakeupstreamauth/callback",
    "/auth-assets/auth.css",
    "/auth-assets/fake-upstream.js",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-protected-resource/sse",
];

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

#[track_caller]
fn is_guarded(response: &Response) {
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.unwrap_or_else(|| panic!("{name} at {}", response.url())).to_str().unwrap().to_owned()
    };
    let policy = header("content-security-policy");
    assert!(
        !policy.contains("unsafe-inline") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert!(header("strict-transport-security").starts_with("max-age="));
}

async fn every_response_is_guarded(on: &Deployment) {
    let server = on.start();
    let client = client();
    let paths = ROUTES.iter().chain(&["/no/such/page", "/.well-known/no-such-document"]);
    for path in paths {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let response = client.request(method, server.url(path)).send().await.unwrap();
            assert!(!response.status().is_server_error(), "{path}");
            is_guarded(&response);
        }
    }
}

async fn every_kind_of_answer_of_the_endpoint_is_guarded(on: &Deployment) {
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let accepted = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let long = json!({ "duration": 0.1, "steps": 1 });
    let mut gone = client.clone();
    gone.session = Some("no-such-session".to_owned());
    let large = client.request(Method::POST).header("content-type", "application/json");
    let answers = [
        (client.send(&ping).await, StatusCode::OK),
        (client.send(&accepted).await, StatusCode::ACCEPTED),
        (client.send(&call(1, "longRunningOperation", &long)).await, StatusCode::OK),
        (client.get(None).await, StatusCode::OK),
        (client.get(Some("nonsense")).await, StatusCode::METHOD_NOT_ALLOWED),
        (gone.send(&ping).await, StatusCode::NOT_FOUND),
        (large.body(vec![b' '; 5 << 20]).send().await.unwrap(), StatusCode::PAYLOAD_TOO_LARGE),
        (client.request(Method::DELETE).send().await.unwrap(), StatusCode::NO_CONTENT),
    ];
    for (answer, status) in answers {
        assert_eq!(answer.status(), status);
        is_guarded(&answer);
        assert!(answer.headers().contains_key("x-request-id"));
    }
}

async fn a_script_of_another_origin_has_no_business_with_the_pages(on: &Deployment) {
    let server = on.start();
    for path in [
        "/authorize",
        "/authorize/consent",
        "/fakeupstreamauth/authorize",
        "/account",
        "/account/revoke",
        "/status",
        "/status/events",
        "/elicitation/AAAAAAAAAAAAAAAAAAAAAAAA",
        "/upstream/callback",
    ] {
        let request = client().get(server.url(path)).header("origin", "http://localhost:6274");
        let response = request.send().await.unwrap();
        assert!(!response.headers().contains_key("access-control-allow-origin"), "{path}");
    }
}

/// A route that is added to a router and not to this test fails here.
#[test]
fn no_route_is_forgotten() {
    let mut found = BTreeSet::new();
    for source in sources() {
        let routes = source.split(".route(\"").skip(1);
        for route in routes.chain(source.split(".route_service(\"").skip(1)) {
            let route = route.split('"').next().unwrap();
            found.insert(route.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAAAA"));
        }
    }
    assert!(found.contains("/mcp") && found.contains("/token"), "{found:?}");
    let known: BTreeSet<_> = ROUTES.iter().copied().map(str::to_owned).collect();
    assert_eq!(found.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
}

async fn a_browser_of_an_allowed_origin_can_hold_a_session(on: &Deployment) {
    let server = on.start();
    let client = client();
    let wanted = "authorization,content-type,mcp-session-id,mcp-protocol-version,last-event-id,\
                  mcp-method,mcp-name,mcp-param-region";
    let preflight = client
        .request(Method::OPTIONS, server.url("/mcp"))
        .header("origin", "http://localhost:6274")
        .header("access-control-request-method", "DELETE")
        .header("access-control-request-headers", wanted)
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), StatusCode::OK, "answered before the token check");
    let header = |response: &Response, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_ascii_lowercase())
    };
    let origin = Some("http://localhost:6274".to_owned());
    assert_eq!(header(&preflight, "access-control-allow-origin"), origin);
    assert!(header(&preflight, "access-control-allow-methods").unwrap().contains("delete"));
    let allowed = header(&preflight, "access-control-allow-headers").unwrap();
    for name in wanted.split(',') {
        assert!(allowed.contains(name), "{name} in {allowed}");
    }

    // Errors can be read, and so can what says where to sign in.
    for path in ["/mcp", "/token", "/register", "/no/such/page"] {
        let request = client.post(server.url(path)).header("origin", "http://localhost:6274");
        let response = request.send().await.unwrap();
        assert!(response.status().is_client_error());
        assert_eq!(header(&response, "access-control-allow-origin"), origin, "{path}");
        let exposed = header(&response, "access-control-expose-headers").unwrap();
        for name in ["www-authenticate", "mcp-session-id", "mcp-protocol-version", "retry-after"] {
            assert!(exposed.contains(name), "{name} in {exposed}");
        }
    }
}

async fn a_browser_of_any_origin_can_get_a_token(on: &Deployment) {
    let server = on.start();
    let client = client();
    let origin = "https://client.example.com";
    let allowed = |response: &Response| {
        let allowed = response.headers().get("access-control-allow-origin");
        assert!(!response.headers().contains_key("access-control-allow-credentials"));
        allowed.map(|value| value.to_str().unwrap().to_owned())
    };
    for (path, method, open) in [
        ("/.well-known/oauth-protected-resource/mcp", Method::GET, true),
        ("/.well-known/oauth-authorization-server", Method::GET, true),
        ("/.well-known/oauth-authorization-server/mcp", Method::GET, true),
        ("/.well-known/openid-configuration", Method::GET, true),
        ("/jwks", Method::GET, true),
        ("/register", Method::POST, true),
        ("/token", Method::POST, true),
        ("/revoke", Method::POST, true),
        ("/authorize", Method::GET, false),
        ("/account", Method::GET, false),
        ("/introspect", Method::POST, false),
        ("/mcp", Method::POST, false),
        ("/", Method::GET, false),
    ] {
        let expected = open.then(|| origin.to_owned());
        let preflight = client
            .request(Method::OPTIONS, server.url(path))
            .header("origin", origin)
            .header("access-control-request-method", method.as_str())
            .header("access-control-request-headers", "content-type,mcp-protocol-version");
        assert_eq!(allowed(&preflight.send().await.unwrap()), expected, "{path}");
        let request = client.request(method, server.url(path)).header("origin", origin);
        assert_eq!(allowed(&request.send().await.unwrap()), expected, "{path}");
    }
}

#[tokio::test]
async fn a_browser_of_another_origin_is_given_nothing() {
    let server = Server::open();
    let request = client()
        .post(server.url("/mcp"))
        .header("origin", "http://evil.example.com")
        .header("content-type", "application/json")
        .body("{}");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(!response.headers().contains_key("access-control-allow-origin"));
}

async fn another_host_reaches_only_the_health_checks(on: &Deployment) {
    let server = on.start();
    for path in ROUTES {
        let request = client().get(server.url(path)).header("host", "evil.example.com");
        let response = request.send().await.unwrap();
        let expected = match *path {
            "/healthz" | "/readyz" => StatusCode::OK,
            // No page has a token.
            "/metrics" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::FORBIDDEN,
        };
        assert_eq!(response.status(), expected, "{path}");
    }
}
