//! HTTP with SSE: whose a session is, which tokens open it, how it ends. What it carries is in
//! `everything`, what is refused in `bad_input`.

use std::process::ExitStatus;

use http::StatusCode;
use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{Deployment, Mcp, SignIn, Sse, call};

on_every_deployment!(
    a_stranger_can_neither_send_nor_come_back,
    a_session_is_of_one_transport,
    tokens_of_this_server_open_it,
    what_the_token_does_not_allow_is_refused_in_http,
    a_revoked_grant_ends_the_stream,
    a_running_call_finishes_before_the_stream_ends,
    a_client_that_comes_back_goes_on,
    requests_are_logged_with_their_session,
);

fn echo() -> Value {
    json!({ "message": "hi" })
}

async fn a_stranger_can_neither_send_nor_come_back(on: &Deployment) {
    let server = on.start();
    let mut alice = Sse::of(&server, "alice").await;
    let mut bob = Sse::of(&server, "bob").await;
    let his = std::mem::replace(&mut bob.endpoint, alice.endpoint.clone());
    for method in ["initialize", "ping", "tools/list", "resources/list", "prompts/list", "none"] {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": {} });
        bob.post(&message).await.is_refused(404, -32001);
    }
    for message in [
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }),
        json!({ "jsonrpc": "2.0", "id": "AAAAAAAAAAAAAAAA-0", "result": {} }),
        json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }]),
    ] {
        bob.post(&message).await.is_refused(404, -32001);
    }
    // Another client of the same user is somebody else, too.
    let mut other = Sse::of(&server, "alice").await;
    other.endpoint = alice.endpoint.clone();
    other.post(&call(1, "echo", &echo())).await.is_refused(404, -32001);

    let tokens = SignIn::register(&server).await.tokens("bob").await;
    let hers = alice.stream.last_id.clone();
    let back = Sse::open_at(&server.url("/sse"), Some(&tokens.access), hers.as_deref()).await;
    assert!(back.endpoint != alice.endpoint && back.endpoint != his, "a session of his own");
    assert_eq!(alice.call("echo", echo()).await, "Echo: hi");
}

async fn a_session_is_of_one_transport(on: &Deployment) {
    let server = on.start();
    let tokens = SignIn::register(&server).await.tokens("alice").await;
    let mut sse = Sse::open(&server, Some(&tokens.access)).await;
    sse.initialize().await;
    let mut mcp = Mcp::new(&server);
    mcp.token = Some(tokens.access);
    mcp.initialize(json!({})).await;
    let (_, id) = sse.endpoint.query_pairs().next().unwrap();
    let mut stranger = mcp.clone();
    stranger.session = Some(id.into_owned());
    stranger.call("echo", echo()).await.is_refused(404, -32001);
    stranger.delete().await.is_refused(404, -32001);
    let endpoint = sse.endpoint.clone();
    sse.endpoint.set_query(Some(&format!("sessionId={}", mcp.session.as_deref().unwrap())));
    sse.post(&call(1, "echo", &echo())).await.is_refused(404, -32001);
    sse.endpoint = endpoint;
    assert_eq!(sse.call("echo", echo()).await, "Echo: hi");
}

/// A client asks for a token for the URL it was given. An old one asks for none.
async fn tokens_of_this_server_open_it(on: &Deployment) {
    let server = on.start();
    for resource in [Some("/sse"), Some("/mcp"), Some(""), None] {
        let sign_in = SignIn { resource, ..SignIn::register(&server).await };
        let tokens = sign_in.tokens("alice").await;
        let mut client = Sse::open(&server, Some(&tokens.access)).await;
        client.initialize().await;
        assert_eq!(client.call("echo", echo()).await, "Echo: hi");
        if resource == Some("/sse") {
            let mut mcp = Mcp::new(&server);
            mcp.token = Some(tokens.access);
            let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
            assert_eq!(mcp.post(&ping).await.status, StatusCode::UNAUTHORIZED, "and nothing else");
        }
    }
    let http = Client::builder().no_proxy().build().unwrap();
    for request in [http.get(server.url("/sse")), http.post(server.url("/message?sessionId=x"))] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        let metadata = server.url("/.well-known/oauth-protected-resource/sse");
        assert!(challenge.contains(&metadata), "{challenge}");
        let document: Value = http.get(metadata).send().await.unwrap().json().await.unwrap();
        assert_eq!(document["resource"], server.url("/sse"));
    }
}

async fn what_the_token_does_not_allow_is_refused_in_http(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn { scope: Some("mcp:read"), ..SignIn::register(&server).await };
    let tokens = sign_in.tokens("alice").await;
    let mut client = Sse::open(&server, Some(&tokens.access)).await;
    client.initialize().await;
    let refused = client.post(&call(1, "echo", &echo())).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("insufficient_scope"), "{challenge}");
    assert!(challenge.contains("/oauth-protected-resource/sse"), "{challenge}");
}

async fn a_revoked_grant_ends_the_stream(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    let mut client = Sse::open(&server, Some(&tokens.access)).await;
    client.initialize().await;
    let form = [("token", tokens.refresh.as_str()), ("client_id", tokens.client_id.as_str())];
    let revoked = sign_in.browser.http.post(server.auth_url("/revoke")).form(&form).send().await;
    assert_eq!(revoked.unwrap().status(), StatusCode::OK);
    while client.stream.next().await.is_some() {}
    let refused = client.post(&call(1, "echo", &echo())).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

async fn a_running_call_finishes_before_the_stream_ends(on: &Deployment) {
    let mut server = on.open();
    let mut client = Sse::open(&server, None).await;
    client.initialize().await;
    let mut idle = Sse::open(&server, None).await;
    idle.initialize().await;
    let operation = json!({ "duration": 1, "steps": 4 });
    client.accepted(&call(5, "longRunningOperation", &operation)).await;
    client.stream.until("notifications/progress").await;
    server.signal("-TERM");
    while idle.stream.next().await.is_some() {}
    let mut last = Value::Null;
    while let Some(message) = client.stream.next().await {
        last = message;
    }
    assert_eq!(last["id"], 5, "the call finished: {last}");
    assert_eq!(server.wait(), ExitStatus::default());
}

async fn a_client_that_comes_back_goes_on(on: &Deployment) {
    let server = on.open();
    let mut client = Sse::open(&server, None).await;
    client.initialize().await;
    let Sse { endpoint, stream, .. } = client;
    let last = stream.last_id.clone();
    drop(stream);
    let mut client = Sse::open_at(&server.url("/sse"), None, last.as_deref()).await;
    assert_eq!(client.endpoint, endpoint);
    assert_eq!(client.stream.last_id, last);
    assert_eq!(client.call("echo", echo()).await, "Echo: hi");
}

async fn requests_are_logged_with_their_session(on: &Deployment) {
    let server = on.open();
    let mut client = Sse::open(&server, None).await;
    client.initialize().await;
    assert_eq!(client.call("echo", echo()).await, "Echo: hi");
    let (_, id) = client.endpoint.query_pairs().next().unwrap();
    let line = server.logged_where(|line| {
        line["event"] == "http.response" && line["path"] == "/message" && line["session"] == *id
    });
    assert_eq!(line.expect("it is logged")["status"], 202);
}
