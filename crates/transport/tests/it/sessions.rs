use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode};
use mcp_everything_store::Limits;
use mcp_everything_transport::Config;
use serde_json::json;

use crate::support::{Answer, Client, Cluster, call, initialize, owner};

#[tokio::test]
async fn a_session_serves_its_requests_until_it_is_deleted() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    client.post(&call(1, "echo")).await.says("echo");
    let deleted = client.delete().await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    client.post(&call(2, "echo")).await.is_refused(404, -32001);
    client.delete().await.is_refused(404, -32001);
    assert!(cluster.store.inner.is_empty());
}

#[tokio::test]
async fn the_agreed_version_is_the_clients_or_one_with_a_handshake() {
    let cluster = Cluster::of(1).await;
    for (requested, agreed) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let client = anonymous(&cluster);
        let answer = client.post(&initialize(requested)).await;
        assert_eq!(answer.body["result"]["protocolVersion"], agreed, "{requested}");
        assert!(answer.headers.contains_key("mcp-session-id"));
    }
}

#[tokio::test]
async fn a_client_that_asked_for_a_newer_version_is_served_by_the_agreed_one() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client_of("alice", "2026-07-28").await;
    // 2026-07-28 has no ping; the agreed 2025-11-25 has.
    let ping = client.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await;
    assert_eq!(ping.body["result"], json!({}));
}

#[tokio::test]
async fn an_idle_session_expires_and_a_used_one_does_not() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    for _ in 0..3 {
        cluster.clock.advance(Duration::from_secs(299));
        client.post(&call(1, "echo")).await.says("echo");
    }
    cluster.clock.advance(Duration::from_secs(300));
    client.post(&call(2, "echo")).await.is_refused(404, -32001);
    assert!(cluster.store.inner.is_empty(), "what is expired is gone on read");
}

#[tokio::test]
async fn expired_sessions_are_swept() {
    let cluster = Cluster::of(1).await;
    let _client = cluster.client().await;
    assert_eq!(cluster.store.inner.sweep(), 0);
    cluster.clock.advance(Duration::from_secs(300));
    assert_eq!(cluster.store.inner.sweep(), 1);
    assert!(cluster.store.inner.is_empty());
}

#[tokio::test]
async fn an_open_stream_and_a_running_call_hold_a_session() {
    let config = Config { hold_every: Duration::from_millis(1), ..Config::default() };
    let cluster = Cluster::with(1, config, Limits::default()).await;
    let session = {
        let client = cluster.client().await;
        let mut stream = client.stream(&call(1, "gate")).await;
        stream.next().await.unwrap();
        client.session.clone()
    };
    cluster.sees("gate.waits").await;
    for _ in 0..4 {
        cluster.clock.advance(Duration::from_secs(200));
        let held = cluster.store.count("hold");
        // The second that is asked for began after the first was done.
        cluster.store.asked("hold", held + 1).await;
        assert_eq!(cluster.store.inner.sweep(), 0);
    }
    let client = Client { session, ..anonymous(&cluster) };
    client.post(&call(2, "echo")).await.says("echo");
}

#[tokio::test]
async fn somebody_elses_session_is_an_unknown_one() {
    let cluster = Cluster::of(1).await;
    let alice = cluster.client().await;
    for user in ["mallory", "alice"] {
        let mut stranger = owner(user);
        if user == "alice" {
            stranger.client = "another client".into();
        }
        let thief = Client { owner: stranger, ..alice.clone() };
        thief.post(&call(1, "echo")).await.is_refused(404, -32001);
        thief.delete().await.is_refused(404, -32001);
        Answer::of(thief.get(None).await).await.is_refused(404, -32001);
    }
    alice.post(&call(2, "echo")).await.says("echo");
}

#[tokio::test]
async fn one_owner_has_a_bounded_number_of_sessions() {
    let limits = Limits { sessions_per_user: 2, ..Limits::default() };
    let cluster = Cluster::with(1, Config::default(), limits).await;
    let first = cluster.client().await;
    cluster.client().await;
    let client = anonymous(&cluster);
    let refused = client.post(&initialize("2025-11-25")).await;
    refused.is_refused(429, -32603);
    assert!(refused.headers.contains_key("retry-after"));
    assert!(!refused.headers.contains_key("mcp-session-id"));
    first.delete().await;
    assert_eq!(client.post(&initialize("2025-11-25")).await.status, StatusCode::OK);
    cluster.client_of("bob", "2025-11-25").await;
}

#[tokio::test]
async fn a_second_initialize_is_refused() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    client.post(&initialize("2025-11-25")).await.is_refused(400, -32600);
    client.post(&call(1, "echo")).await.says("echo");
}

#[tokio::test]
async fn large_initialize_parameters_are_refused() {
    let cluster = Cluster::of(1).await;
    let mut message = initialize("2025-11-25");
    message["params"]["clientInfo"]["name"] = "x".repeat(17 << 10).into();
    let answer = anonymous(&cluster).post(&message).await;
    answer.is_refused(400, -32600);
    assert!(cluster.store.inner.is_empty());
}

#[tokio::test]
async fn a_request_without_an_owner_is_never_served() {
    let cluster = Cluster::of(1).await;
    let client = anonymous(&cluster);
    let mut request = client
        .request(Method::POST)
        .header("content-type", "application/json")
        .body(Body::from(initialize("2025-11-25").to_string()))
        .unwrap();
    request.extensions_mut().clear();
    Answer::of(client.send(request).await).await.is_refused(500, -32603);
}

fn anonymous(cluster: &Cluster) -> Client<'_> {
    Client::new(cluster, "alice")
}
