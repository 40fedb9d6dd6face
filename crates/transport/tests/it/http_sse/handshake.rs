use serde_json::json;

use super::client::{MESSAGE, Sse, ping};
use crate::support::{Client, Cluster, call, initialize};

#[tokio::test]
async fn the_stream_begins_with_where_to_send_messages() {
    let cluster = Cluster::of(1).await;
    let client = Sse::open(&cluster, "alice").await;
    assert_eq!(client.url(), format!("{MESSAGE}?sessionId={}", client.session()));
    assert_eq!(client.opening.id, Some(format!("{}.0", client.session())));
    assert!((500..=1500).contains(&client.opening.retry.unwrap()), "{:?}", client.opening);
}

#[tokio::test]
async fn every_revision_with_a_handshake_is_agreed_to() {
    let cluster = Cluster::of(3).await;
    for (requested, agreed) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let mut client = Sse::open(&cluster, "alice").await;
        client.accepted(&initialize(requested)).await;
        let answer = client.message().await;
        assert_eq!(answer["result"]["protocolVersion"], agreed, "{requested}");
        client.accepted(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client.accepted(&call(1, "echo")).await;
        assert_eq!(client.text().await, "echo");
    }
}

#[tokio::test]
async fn nothing_but_a_ping_comes_before_the_handshake() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::open(&cluster, "alice").await;
    client.accepted(&ping(1)).await;
    assert_eq!(client.message().await["result"], json!({}));
    client.accepted(&call(2, "echo")).await;
    assert_eq!(client.error().await, (-32600, json!(2)));
    let probe = json!({ "jsonrpc": "2.0", "id": 3, "method": "server/discover" });
    client.accepted(&probe).await;
    assert_eq!(client.error().await, (-32601, json!(3)), "clients of later revisions ask first");
    let noted = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    client.post(&noted).await.is_refused(400, -32600);
    client.post(&json!([ping(4)])).await.is_refused(400, -32600);
}

#[tokio::test]
async fn a_second_handshake_is_refused() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::connect(&cluster).await;
    client.accepted(&initialize("2025-11-25")).await;
    assert_eq!(client.error().await, (-32600, json!(0)));
    client.accepted(&call(1, "echo")).await;
    assert_eq!(client.text().await, "echo");
}

#[tokio::test]
async fn a_handshake_that_cannot_be_read_is_answered() {
    let cluster = Cluster::of(1).await;
    let mut client = Sse::open(&cluster, "alice").await;
    client.accepted(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize"})).await;
    assert_eq!(client.error().await, (-32602, json!(0)));
    client.accepted(&initialize("2024-11-05")).await;
    assert_eq!(client.message().await["result"]["protocolVersion"], "2024-11-05");
}

/// The TypeScript SDK reconnects without `Last-Event-ID` and goes on without a handshake.
#[tokio::test]
async fn a_client_that_names_its_version_goes_on_in_a_new_session() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::open(&cluster, "alice").await;
    let versioned = |message: serde_json::Value| {
        let request = client.posting().header("mcp-protocol-version", "2025-06-18");
        request.body(message.to_string().into()).unwrap()
    };
    let (echo, noted) = (
        versioned(call(1, "echo")),
        versioned(json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"})),
    );
    assert_eq!(client.send(echo).await.status, 202);
    assert_eq!(client.text().await, "echo");
    assert_eq!(client.send(noted).await.status, 202);
    assert_eq!(client.message().await["method"], "notifications/noted");
    client.accepted(&call(2, "echo")).await;
    assert_eq!(client.text().await, "echo", "it need not name it again");
    client.accepted(&initialize("2025-06-18")).await;
    assert_eq!(client.error().await, (-32600, json!(0)));
}

#[tokio::test]
async fn a_session_is_of_one_transport() {
    let cluster = Cluster::of(1).await;
    let (sse, http) = (Sse::connect(&cluster).await, cluster.client().await);
    let session = Some(sse.session().to_owned());
    let stranger = Client { session, ..http.clone() };
    stranger.post(&call(1, "echo")).await.is_refused(404, -32001);
    stranger.delete().await.is_refused(404, -32001);
    let id = sse.last.as_deref();
    assert_eq!(http.get(id).await.status(), 405, "an id of another stream");

    let foreign = sse.url().replace(sse.session(), http.session.as_deref().unwrap());
    let mut request = sse.posting().body(call(1, "echo").to_string().into()).unwrap();
    *request.uri_mut() = foreign.parse().unwrap();
    sse.send(request).await.is_refused(404, -32001);
}
