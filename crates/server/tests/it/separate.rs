//! An authorization server of its own, and a server that knows nothing of it but its URL.

use std::sync::Arc;

use http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, AuthServer, Deployment, Instance, Mcp, Server, SignIn, binary, free_port, rows::client,
    soon,
};

on_separate_deployments!(
    the_endpoints_are_elsewhere_and_their_description_is_copied,
    tokens_are_for_the_server_that_was_named,
);

async fn the_endpoints_are_elsewhere_and_their_description_is_copied(on: &Deployment) {
    let server = on.start();
    let http = client();
    for path in [
        "/authorize",
        "/authorize/consent",
        "/token",
        "/register",
        "/revoke",
        "/introspect",
        "/fakeupstreamauth/authorize",
        "/fakeupstreamauth/redirect",
        "/fakeupstreamauth/callback",
        "/account",
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = http.request(method.clone(), server.url(path)).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let get = async |url: String| -> Value {
            http.get(url).send().await.unwrap().json().await.unwrap()
        };
        assert_eq!(get(server.url(path)).await, get(server.auth_url(path)).await, "{path}");
    }
    let elsewhere = http.get(server.auth_url("/mcp")).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
    let told: Value = elsewhere.json().await.unwrap();
    assert!(told["error_description"].as_str().unwrap().contains(server.issuer()), "{told}");
    let ready: Value =
        http.get(server.auth_url("/readyz")).send().await.unwrap().json().await.unwrap();
    assert_eq!(ready["status"], "ready");
}

async fn tokens_are_for_the_server_that_was_named(on: &Deployment) {
    let server = on.start();
    let mut caller = Mcp::new(&server);
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    for (resource, status) in [
        (Some("/mcp"), StatusCode::BAD_REQUEST),
        (Some(""), StatusCode::BAD_REQUEST),
        (Some("/sse"), StatusCode::UNAUTHORIZED),
        (Some("/elsewhere"), StatusCode::UNAUTHORIZED),
        // It is for the server with the usual settings.
        (None, StatusCode::UNAUTHORIZED),
    ] {
        let sign_in = SignIn { resource, ..SignIn::register(&server).await };
        caller.token = Some(sign_in.tokens("alice").await.access);
        let answer = caller.post(&ping).await;
        assert_eq!(answer.status, status, "{resource:?}: {answer:?}");
    }
}

/// A server that trusts what is not there yet, and the port where it will be.
fn early() -> (Server, u16) {
    let port = free_port();
    let url = format!("http://localhost:{port}");
    (Server::with(&[("AUTH_MODE", "separate"), ("AUTH_SERVER_URL", &url)]), port)
}

async fn readiness(server: &Server) -> (u16, Value) {
    let answer = reqwest::get(server.url("/readyz")).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn it_serves_before_its_authorization_server_is_there() {
    let (mut server, port) = early();
    let awaited = server.logged("auth.server.awaited");
    assert!(
        awaited["reason"].as_str().unwrap().contains("oauth-authorization-server"),
        "{awaited}"
    );
    let (status, why) = readiness(&server).await;
    assert_eq!((status, &why["reason"]), (503, &json!("auth_server_not_found")));
    let copy = reqwest::get(server.url("/.well-known/oauth-authorization-server")).await.unwrap();
    assert_eq!(copy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(copy.headers()["retry-after"], "2");

    let mut caller = Mcp::new(&server);
    let ping = json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" });
    let refused = caller.post(&ping).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "nothing has to be asked for that");
    caller.token = Some("a-token".to_owned());
    let refused = caller.post(&ping).await;
    refused.is_refused(503, -32603);
    assert_eq!(refused.body["id"], 7);
    assert!(refused.headers.contains_key("retry-after"));
    assert!(!refused.headers.contains_key("www-authenticate"));

    let settings = [("AUTH_SERVER_PORT", &*port.to_string())];
    let instance = Instance::auth_server(1, &settings, &server.log);
    server.trusted = Some(AuthServer { instance, issuer: format!("http://localhost:{port}") });
    server.logged("auth.server.found");
    soon(async { while readiness(&server).await.0 != 200 {} }).await;
    Mcp::of(&server, "alice").await.is_served().await;
    assert_eq!(caller.post(&ping).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_authorization_server_that_calls_itself_otherwise_is_not_found() {
    let (server, port) = early();
    let (port, url) = (port.to_string(), format!("http://127.0.0.1:{port}"));
    let settings = [("AUTH_SERVER_PORT", port.as_str()), ("AUTH_SERVER_URL", &url)];
    let _other = Instance::auth_server(1, &settings, &server.log);
    let told = server.logged_where(|line| {
        line["event"] == "auth.server.awaited"
            && line["reason"].as_str().is_some_and(|reason| reason.contains(&url))
    });
    let told = told.unwrap()["reason"].as_str().unwrap().to_owned();
    assert!(told.contains("AUTH_SERVER_URL"), "{told}");
    assert_eq!(readiness(&server).await.0, 503);
}

#[tokio::test]
async fn an_authorization_server_that_is_away_is_not_the_tokens_fault() {
    let on = Deployment::separate_on_redis();
    let mut server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let other = SignIn::register(&server).await.tokens("bob").await;
    server.trusted.as_mut().unwrap().instance.kill();

    let mut stranger = Mcp::new(&server);
    stranger.token = Some(other.access);
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let refused = stranger.post(&ping).await;
    refused.is_refused(503, -32603);
    assert!(refused.headers.contains_key("retry-after"));
    server.logged("auth.server.unavailable");
    assert_eq!(readiness(&server).await.0, 200, "it was found");
    let copy = reqwest::get(server.url("/.well-known/oauth-authorization-server")).await.unwrap();
    assert_eq!(copy.status(), StatusCode::OK);

    // What asks for nothing is held until it is back, and what it kept is good again.
    let seen = server.log.len();
    let held = tokio::spawn({
        let stranger = stranger.clone();
        async move { stranger.get(None).await.status() }
    });
    let log = Arc::clone(&server.log);
    let tried = move || log.find_after(seen, |line| line["event"] == "auth.server.unavailable");
    assert!(tokio::task::spawn_blocking(tried).await.unwrap().is_some());
    assert!(!held.is_finished());
    server.trusted.as_mut().unwrap().instance.restart();
    assert_eq!(held.await.unwrap(), StatusCode::BAD_REQUEST, "it wants a session");
    client.is_served().await;
    assert_eq!(stranger.post(&ping).await.status, StatusCode::BAD_REQUEST, "it wants a session");
}

/// Another database of it is enough: who listens to a Redis hears all of it.
#[tokio::test]
async fn on_one_redis_a_stream_ends_with_its_grant() {
    let on = Deployment::separate_on_redis();
    crate::auth::a_revoked_grant_ends_the_stream_that_is_open(&on).await;
}

#[tokio::test]
async fn it_asks_as_the_client_that_it_is_told_to_be() {
    let log = Arc::default();
    let auth_server = AuthServer::start(1, &[], &log);
    let document =
        json!({ "client_name": "The MCP server", "redirect_uris": ["http://127.0.0.1/"] });
    let url = format!("{}/register", auth_server.issuer);
    let http = client();
    let registered = http.post(url).json(&document).send().await.unwrap();
    let registered: Value = registered.json().await.unwrap();
    let of = |name: &str| registered[name].as_str().unwrap().to_owned();
    let (id, secret) = (of("client_id"), of("client_secret"));
    for (secret, status) in [(secret.as_str(), 200), ("wrong", 503)] {
        let mut server = Server::with(&[
            ("AUTH_MODE", "separate"),
            ("AUTH_SERVER_URL", &auth_server.issuer),
            ("TOKEN_CHECK", "introspection"),
            ("INTROSPECTION_CLIENT_ID", &id),
            ("INTROSPECTION_CLIENT_SECRET", secret),
        ]);
        server.logged("auth.server.found");
        let resource = server.url("/mcp");
        let issuer = auth_server.issuer.clone();
        let token = token(&issuer, &resource).await;
        let mut caller = Mcp::new(&server);
        caller.token = Some(token);
        let answer = caller.post(&crate::support::initialize(&json!({}))).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        if status == 503 {
            let told = server.logged("auth.server.unavailable");
            assert!(told["reason"].as_str().unwrap().contains("INTROSPECTION_CLIENT_ID"), "{told}");
        }
        assert!(server.log().iter().all(|line| line["event"] != "auth.server.registered"));
        assert!(server.is_running());
    }
}

/// A token for a resource, as `login` gets one.
async fn token(issuer: &str, resource: &str) -> String {
    let base = resource.trim_end_matches("/mcp").to_owned();
    let output = tokio::task::spawn_blocking(move || {
        binary().args(["login", "--server", &base, "--user", "alice"]).output().unwrap()
    });
    let output = output.await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{issuer}: {told}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn the_resources_may_be_listed() {
    let log = Arc::default();
    let listed = [("AUTH_RESOURCES", "https://mcp.example.com/mcp")];
    let auth_server = AuthServer::start(1, &listed, &log);
    let trust = [("AUTH_MODE", "separate"), ("AUTH_SERVER_URL", &*auth_server.issuer)];
    let mut server = Server::with(&trust);
    server.trusted = Some(auth_server);
    let sign_in = SignIn::register(&server).await;
    let back = sign_in.walk("alice").await;
    let error = back.query_pairs().find(|(name, _)| name == "error");
    assert_eq!(error.unwrap().1, "invalid_target", "{back}");
}

#[tokio::test]
async fn both_run_in_one_terminal() {
    let log = Arc::default();
    let auth_port = free_port().to_string();
    let mut both = Instance::dev(0, &[("AUTH_SERVER_PORT", &auth_port)], &log);
    // What was announced first is the authorization server.
    assert_eq!(both.port.to_string(), auth_port);
    let started = log.find_after(0, |line| line["server"] == "mcp-server").unwrap();
    assert_eq!(
        (&started["auth"], &started["event"]),
        (&json!("separate"), &json!("server.started"))
    );
    log.find_after(0, |line| line["event"] == "auth.server.found").unwrap();
    let endpoint = started["endpoint"].as_str().unwrap().to_owned();
    let token = token(&auth_port, &endpoint).await;
    let answer = client().get(&endpoint).bearer_auth(token).send().await.unwrap();
    let answer = Answer::of(answer).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "it wants a session: {answer:?}");
    for (server, path) in [("auth-server", "/token"), ("mcp-server", "/mcp")] {
        let line = log.find_after(0, |line| line["server"] == server && line["path"] == path);
        assert!(line.is_some(), "{server} {path}");
    }
    both.signal("-TERM");
    assert!(both.wait().success());
}

#[test]
fn both_are_for_separate_mode() {
    let output = binary().arg("dev").env("AUTH_MODE", "none").output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("AUTH_MODE") && told.contains("separate"), "{told}");
}
