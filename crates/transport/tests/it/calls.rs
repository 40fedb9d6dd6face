use std::time::Duration;

use http::StatusCode;
use mcp_everything_store::Limits;
use mcp_everything_transport::Config;
use serde_json::json;

use crate::support::{Cluster, call};

#[tokio::test]
async fn a_short_call_answers_in_json_and_leaves_nothing() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let answer = client.post(&call("a", "echo")).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.body["id"], "a");
    answer.says("echo");
}

#[tokio::test]
async fn a_longer_call_answers_on_a_stream_that_can_be_resumed() {
    let cluster = Cluster::of(1).await;
    let (mut stream, first) = {
        let client = cluster.client().await;
        let mut stream = client.stream(&call(1, "gate")).await;
        let first = stream.next().await.unwrap();
        (stream, first)
    };
    assert_eq!(first.data, serde_json::Value::Null, "the first event only carries an id");
    assert!(first.id.is_some() && first.retry.is_some(), "{first:?}");
    cluster.sees("gate.waits").await;
    cluster.gate.add_permits(1);
    let answer = stream.message().await;
    assert_eq!(answer.data["result"]["content"][0]["text"], "passed");
    assert_eq!(stream.next().await, None, "the answer ends the stream");
}

#[tokio::test]
async fn what_a_call_sends_comes_in_order_on_its_own_stream() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(7, "progress")).await;
    let messages = stream.rest().await;
    let progress: Vec<_> = messages.iter().map(|m| &m["params"]["progress"]).collect();
    assert_eq!(progress[..3], [&json!(1.0), &json!(2.0), &json!(3.0)]);
    assert_eq!(messages[0]["params"]["progressToken"], "p");
    assert_eq!(messages[3]["id"], 7);
    assert_eq!(messages.len(), 4);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_next_call_is_served() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let answer = client.post(&call(1, "panic")).await;
    answer.is_refused(200, -32603);
    assert_eq!(answer.body["error"]["message"], "internal error", "nothing of the panic is told");
    client.post(&call(2, "echo")).await.says("echo");
}

#[tokio::test]
async fn a_request_rides_the_stream_of_the_call_that_asks() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "ask")).await;
    let asked = stream.message().await.data;
    assert_eq!(asked["method"], "ping");
    let id = asked["id"].as_str().unwrap();
    assert!(id.len() > 16, "a request id is unguessable: {id}");
    assert_eq!(asked["params"]["_meta"]["progressToken"], asked["id"]);
    let accepted = client.post(&json!({"jsonrpc": "2.0", "id": id, "result": {}})).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    assert_eq!(stream.message().await.data["result"]["content"][0]["text"], "answered");
}

#[tokio::test]
async fn two_calls_of_one_session_ask_under_different_names() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut one = client.stream(&call(1, "ask")).await;
    let mut other = client.stream(&call(1, "ask")).await;
    let first = one.message().await.data["id"].clone();
    let second = other.message().await.data["id"].clone();
    assert_ne!(first, second);
    client.post(&json!({"jsonrpc": "2.0", "id": second, "result": {}})).await;
    assert_eq!(other.message().await.data["result"]["content"][0]["text"], "answered");
}

#[tokio::test]
async fn another_session_cannot_answer() {
    let cluster = Cluster::of(1).await;
    let alice = cluster.client().await;
    let mallory = cluster.client_of("mallory", "2025-11-25").await;
    let mut stream = alice.stream(&call(1, "ask")).await;
    let id = stream.message().await.data["id"].clone();
    let forged = json!({"jsonrpc": "2.0", "id": id, "error": {"code": 1, "message": "forged"}});
    assert_eq!(
        mallory.post(&forged).await.status,
        StatusCode::ACCEPTED,
        "it looks like a late one"
    );
    alice.post(&json!({"jsonrpc": "2.0", "id": id, "result": {}})).await;
    assert_eq!(stream.message().await.data["result"]["content"][0]["text"], "answered");
}

#[tokio::test]
async fn an_answer_nobody_asked_for_is_refused() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    client.post(&json!({"jsonrpc": "2.0", "id": 5, "result": {}})).await.is_refused(400, -32600);
}

#[tokio::test]
async fn a_cancelled_call_stops_and_its_stream_ends_without_an_answer() {
    let cluster = Cluster::of(1).await;
    let mut stream = {
        let client = cluster.client().await;
        let mut stream = client.stream(&call("x", "gate")).await;
        stream.next().await.unwrap();
        let cancelled = client
            .post(&json!({
                "jsonrpc": "2.0", "method": "notifications/cancelled",
                "params": { "requestId": "x", "reason": "enough" }
            }))
            .await;
        assert_eq!(cancelled.status, StatusCode::ACCEPTED);
        stream
    };
    cluster.sees("gate.waits").await;
    cluster.sees("gate.cancelled").await;
    assert_eq!(stream.rest().await, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_handler_that_ignores_its_cancellation_is_dropped() {
    let config = Config { cancel_grace: Duration::from_millis(1), ..Config::default() };
    let cluster = Cluster::with(1, config, Limits::default()).await;
    let mut stream = {
        let client = cluster.client().await;
        let mut stream = client.stream(&call(1, "deaf")).await;
        stream.next().await.unwrap();
        client
            .post(&json!({
                "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 }
            }))
            .await;
        stream
    };
    cluster.sees("deaf.waits").await;
    cluster.sees("deaf.dropped").await;
    assert_eq!(stream.rest().await, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_cancellation_that_overtakes_its_call_is_honoured() {
    let cluster = Cluster::of(1).await;
    let mut stream = {
        let client = cluster.client().await;
        let cancel = json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 }
        });
        client.post(&cancel).await;
        client.stream(&call(9, "gate")).await
    };
    cluster.sees("gate.waits").await;
    cluster.sees("gate.cancelled").await;
    assert_eq!(stream.rest().await, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_client_that_hangs_up_has_cancelled_nothing() {
    let cluster = Cluster::of(1).await;
    {
        let client = cluster.client().await;
        let mut stream = client.stream(&call(1, "gate")).await;
        stream.next().await.unwrap();
    }
    cluster.sees("gate.waits").await;
    cluster.gate.add_permits(1);
    cluster.sees("gate.passed").await;
}

#[tokio::test]
async fn running_calls_of_a_session_are_bounded() {
    let limits = Limits { calls_per_session: 1, ..Limits::default() };
    let cluster = Cluster::with(1, Config::default(), limits).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "gate")).await;
    stream.next().await.unwrap();
    let refused = client.post(&call(2, "gate")).await;
    refused.is_refused(429, -32603);
    assert_eq!(refused.body["id"], 2);
    client.post(&call(3, "echo")).await.says("echo");
}

#[tokio::test]
async fn running_calls_of_all_sessions_are_bounded() {
    let config = Config { max_running_calls: 1, ..Config::default() };
    let cluster = Cluster::with(1, config, Limits::default()).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "gate")).await;
    stream.next().await.unwrap();
    let other = cluster.client().await;
    other.post(&call(2, "gate")).await.is_refused(429, -32603);
    other.post(&call(3, "echo")).await.says("echo");
}

#[tokio::test]
async fn deleting_a_session_ends_its_calls() {
    let cluster = Cluster::of(1).await;
    let mut stream = {
        let client = cluster.client().await;
        let mut stream = client.stream(&call(1, "gate")).await;
        stream.next().await.unwrap();
        client.delete().await;
        stream
    };
    cluster.sees("gate.waits").await;
    cluster.sees("gate.cancelled").await;
    stream.rest().await;
}
