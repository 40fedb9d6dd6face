//! Every request of a client goes to another instance.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Cluster, Events, call};

#[tokio::test]
async fn a_session_lives_on_no_instance() {
    let cluster = Cluster::of(3).await;
    let client = cluster.client().await;
    for instance in [1, 2, 0] {
        client.on(instance).post(&call(1, "echo")).await.says("echo");
    }
    assert_eq!(client.on(2).delete().await.status, StatusCode::NO_CONTENT);
    client.on(1).post(&call(1, "echo")).await.is_refused(404, -32001);
}

#[tokio::test]
async fn an_answer_reaches_the_call_that_waits_elsewhere() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "ask")).await;
    let id = stream.message().await.data["id"].clone();
    let answer = json!({"jsonrpc": "2.0", "id": id, "result": {}});
    assert_eq!(client.on(1).post(&answer).await.status, StatusCode::ACCEPTED);
    assert_eq!(stream.message().await.data["result"]["content"][0]["text"], "answered");
}

#[tokio::test]
async fn a_cancellation_reaches_the_call_that_runs_elsewhere() {
    let cluster = Cluster::of(2).await;
    let mut stream = {
        let client = cluster.client().await;
        let mut stream = client.stream(&call(1, "gate")).await;
        stream.next().await.unwrap();
        let cancel = json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 }
        });
        client.on(1).post(&cancel).await;
        stream
    };
    cluster.sees("gate.waits").await;
    cluster.sees("gate.cancelled").await;
    assert_eq!(stream.rest().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_stream_is_resumed_on_another_instance_and_leaves_the_first() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "gate")).await;
    let id = stream.next().await.unwrap().id.unwrap();
    let mut rest = Events::of(client.on(1).get(Some(&id)).await);
    assert_eq!(stream.next().await, None, "the client has left that connection");
    cluster.gate.add_permits(1);
    assert_eq!(rest.message().await.data["result"]["content"][0]["text"], "passed");
    assert_eq!(rest.next().await, None);
}

#[tokio::test]
async fn the_standalone_stream_moves_between_instances() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let noted = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    let mut here = Events::of(client.get(None).await);
    here.next().await.unwrap();
    client.on(1).post(&noted).await;
    here.message().await;
    let mut there = Events::of(client.on(1).get(None).await);
    there.next().await.unwrap();
    client.post(&noted).await;
    there.message().await;
    drop(there);
    client.on(1).post(&noted).await;
    here.message().await;
}

#[tokio::test]
async fn the_end_of_a_session_ends_what_is_open_elsewhere() {
    let cluster = Cluster::of(2).await;
    let (mut stream, mut calling) = {
        let client = cluster.client().await;
        let mut stream = Events::of(client.get(None).await);
        stream.next().await.unwrap();
        let mut calling = client.stream(&call(1, "gate")).await;
        calling.next().await.unwrap();
        client.on(1).delete().await;
        (stream, calling)
    };
    cluster.sees("gate.waits").await;
    cluster.sees("gate.cancelled").await;
    stream.rest().await;
    calling.rest().await;
}
