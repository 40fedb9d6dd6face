//! Who may look.

use http::{HeaderMap, StatusCode};
use reqwest::Response;
use serde_json::Value;

use crate::support::{AuthServer, Deployment, Server, SignIn, rows::client};

on_every_deployment!(elsewhere_it_takes_the_scope);
on_separate_deployments!(elsewhere_it_takes_the_scope);

/// As a request that came through a proxy, which nobody on the machine sends.
const ELSEWHERE: (&str, &str) = ("x-forwarded-for", "192.0.2.7");

async fn ask(url: &str, headers: &[(&str, &str)], token: Option<&str>) -> Response {
    let mut request = client().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap()
}

fn challenge(headers: &HeaderMap) -> &str {
    headers["www-authenticate"].to_str().unwrap()
}

async fn elsewhere_it_takes_the_scope(on: &Deployment) {
    let server = on.start();
    let url = server.url("/metrics");
    let look = async |token: Option<&str>| ask(&url, &[ELSEWHERE], token).await;

    let refused = look(None).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let told = challenge(refused.headers()).to_owned();
    assert!(told.contains(r#"scope="mcp:admin""#) && !told.contains("error="), "{told}");
    let (_, metadata) = told.split_once("resource_metadata=\"").unwrap();
    let metadata = ask(metadata.split('"').next().unwrap(), &[], None).await;
    let metadata: Value = metadata.json().await.unwrap();
    assert_eq!(metadata["resource"], server.base, "where to get a token is said there");

    let refused = look(Some("mca_nonsense")).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(challenge(refused.headers()).contains(r#"error="invalid_token""#));

    for (resource, scope, expected) in [
        ("", Some("mcp:admin"), 200),
        ("/mcp", Some("mcp:admin mcp:read"), 200),
        ("/sse", Some("mcp:admin"), 200),
        ("/mcp", Some("mcp:read mcp:tools"), 403),
        ("/mcp", None, 403),
    ] {
        let sign_in = SignIn::register(&server).await;
        let sign_in = SignIn { scope, resource: Some(resource), ..sign_in };
        let tokens = sign_in.tokens("alice").await;
        let answer = look(Some(&tokens.access)).await;
        assert_eq!(answer.status().as_u16(), expected, "{scope:?} for {resource:?}");
        if expected == 403 {
            let told = challenge(answer.headers());
            assert!(told.contains(r#"error="insufficient_scope""#), "{told}");
            assert!(told.contains("mcp:admin"), "{told}");
        } else {
            assert!(answer.text().await.unwrap().contains("mcp_http_requests_total{"));
        }
    }
}

#[tokio::test]
async fn on_the_machine_it_takes_nothing() {
    for mode in ["integrated", "none"] {
        let server = Server::with(&[("AUTH_MODE", mode)]);
        for url in [server.url("/metrics"), server.url_of(0, "/metrics"), server.url("/metrics/")] {
            let answer = ask(&url, &[], None).await;
            assert_eq!(answer.status(), StatusCode::OK, "{url}");
            assert_eq!(
                answer.headers()["content-type"],
                "text/plain; version=0.0.4; charset=utf-8"
            );
        }
    }
}

/// A header may make that a request is not taken for one from the machine, and never that it is.
#[tokio::test]
async fn no_header_brings_anybody_nearer() {
    let server = Server::start();
    let open = Server::open();
    for header in [
        ("host", "evil.example.com"),
        ("host", "localhost.evil.example.com:3232"),
        ("host", "mcp.example.com"),
        ("origin", "https://evil.example.com"),
        ("origin", "http://localhost:6274"),
        ("origin", "null"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", "::1, 127.0.0.1"),
        ("x-forwarded-for", ""),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "http"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;host=localhost"),
        ("via", "1.1 localhost"),
    ] {
        let refused = ask(&server.url("/metrics"), &[header], None).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{header:?}");
        let refused = ask(&open.url("/metrics"), &[header], None).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{header:?}");
        let told: Value = refused.json().await.unwrap();
        assert_eq!(told["error"], "access_denied", "there is no token to ask for");
    }
}

#[tokio::test]
async fn behind_a_proxy_on_the_machine_nobody_is_near() {
    for setting in [("BASE_URI", "https://mcp.example.com"), ("TRUSTED_PROXIES", "127.0.0.0/8,::1")]
    {
        let server = Server::with(&[setting, ("ALLOWED_HOSTS", "localhost,mcp.example.com")]);
        for headers in
            [&[][..], &[("x-forwarded-for", "127.0.0.1")], &[("host", "mcp.example.com")]]
        {
            let url = format!("http://127.0.0.1:{}/metrics", server.instances[0].port);
            let refused = ask(&url, headers, None).await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{setting:?} {headers:?}");
        }
    }
}

#[tokio::test]
async fn what_is_told_is_for_no_page() {
    let server = Server::start();
    let url = server.url("/metrics");
    for origin in ["http://localhost:6274", &server.base] {
        let answer = ask(&url, &[("origin", origin)], None).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{origin}");
    }
    let answer = ask(&url, &[], None).await;
    assert_eq!(answer.headers()["cross-origin-resource-policy"], "same-origin");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let posted = client().post(&url).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_authorization_server_of_its_own_has_them_too() {
    let mut server = Server::start();
    let issuer = AuthServer::start(1, &[], &server.log);
    let url = format!("{}/metrics", issuer.issuer);
    assert_eq!(ask(&url, &[], None).await.status(), StatusCode::OK);
    let refused = ask(&url, &[ELSEWHERE], None).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let (_, metadata) = challenge(refused.headers()).split_once("resource_metadata=\"").unwrap();
    let metadata = ask(metadata.split('"').next().unwrap(), &[], None).await;
    let metadata: Value = metadata.json().await.unwrap();
    assert_eq!(metadata["resource"], issuer.issuer);
    assert_eq!(metadata["scopes_supported"], serde_json::json!(["mcp:admin"]));

    // It is the resource as well.
    server.base.clone_from(&issuer.issuer);
    server.trusted = Some(issuer);
    let sign_in = SignIn::register(&server).await;
    let sign_in = SignIn { scope: Some("mcp:admin"), resource: Some(""), ..sign_in };
    let tokens = sign_in.tokens("alice").await;
    assert_eq!(ask(&url, &[ELSEWHERE], Some(&tokens.access)).await.status(), StatusCode::OK);
}
