use serde_json::{Value, json};

use crate::support::{Cluster, Events, call};

#[tokio::test]
async fn a_batch_of_short_calls_is_answered_by_an_array() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client_of("alice", "2025-03-26").await;
    let batch = json!([
        call(1, "echo"),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        { "jsonrpc": "2.0", "id": 2, "method": "ping" },
        { "jsonrpc": "2.0", "id": 3 },
    ]);
    let answer = client.post(&batch).await;
    let mut ids: Vec<_> = answer.body.as_array().unwrap().iter().map(|m| m["id"].clone()).collect();
    ids.sort_by_key(Value::as_i64);
    assert_eq!(ids, [json!(1), json!(2), json!(3)]);
}

#[tokio::test]
async fn a_batch_with_a_longer_call_is_answered_by_a_stream() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client_of("alice", "2025-03-26").await;
    let response = client.open(&json!([call(1, "echo"), call(2, "progress")])).await;
    let messages = Events::of(response).rest().await;
    let answered: Vec<_> = messages.iter().filter_map(|m| m["id"].as_i64()).collect();
    assert_eq!(answered, [1, 2]);
    assert_eq!(messages.len(), 5);
}

#[tokio::test]
async fn notifications_alone_are_accepted() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client_of("alice", "2025-03-26").await;
    let batch = json!([{ "jsonrpc": "2.0", "method": "notifications/initialized" }]);
    let answer = client.post(&batch).await;
    assert_eq!((answer.status.as_u16(), answer.body), (202, Value::Null));
}

#[tokio::test]
async fn batches_are_bounded_and_belong_to_one_revision() {
    let cluster = Cluster::of(1).await;
    let old = cluster.client_of("alice", "2025-03-26").await;
    old.post(&json!([])).await.is_refused(400, -32600);
    let many: Vec<_> = (0..51).map(|id| call(id, "echo")).collect();
    old.post(&json!(many)).await.is_refused(400, -32600);
    let new = cluster.client().await;
    new.post(&json!([call(1, "echo")])).await.is_refused(400, -32600);
}

#[tokio::test]
async fn a_batch_names_no_other_revision_in_its_header() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client_of("alice", "2025-03-26").await;
    for version in ["2026-07-28", "1999-01-01"] {
        let request = client
            .request(http::Method::POST)
            .header("content-type", "application/json")
            .header("mcp-protocol-version", version)
            .body(json!([call(1, "echo")]).to_string().into())
            .unwrap();
        let answer = crate::support::Answer::of(client.send(request).await).await;
        assert_eq!(answer.status, 400, "{version}");
    }
}

#[tokio::test]
async fn every_call_of_a_long_batch_finds_room_on_the_stream() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client_of("alice", "2025-03-26").await;
    let many: Vec<_> = (0..50).map(|id| call(id, "progress")).collect();
    let messages = Events::of(client.open(&json!(many)).await).rest().await;
    assert_eq!(messages.len(), 200);
}
