//! Everything a client and its server can say to each other, on one instance and over three.

use mcp_everything_store::Limits;
use mcp_everything_transport::Config;
use rmcp::model::{CustomNotification, ServerNotification};
use serde_json::{Value, json};

use super::client::Sse;
use crate::support::{Cluster, call};

const SIZES: [usize; 2] = [1, 3];

fn cancel(request: u64) -> Value {
    json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": request }
    })
}

#[tokio::test]
async fn answers_of_every_kind() {
    for size in SIZES {
        let cluster = Cluster::of(size).await;
        let mut client = Sse::connect(&cluster).await;
        for id in 1..=4 {
            client.accepted(&call(id, "echo")).await;
            let answer = client.message().await;
            assert_eq!(answer["id"], id);
            assert_eq!(answer["result"]["content"][0]["text"], "echo");
        }
        client.accepted(&call("text", "panic")).await;
        assert_eq!(client.error().await, (-32603, json!("text")));
        client.accepted(&call(5, "no such tool")).await;
        assert_eq!(client.error().await, (-32602, json!(5)));
        client.accepted(&json!({"jsonrpc": "2.0", "id": 6, "method": "tools/call"})).await;
        assert_eq!(client.error().await, (-32602, json!(6)));
        client.accepted(&json!({"jsonrpc": "2.0", "id": 7, "method": "no/such"})).await;
        assert_eq!(client.error().await, (-32601, json!(7)));
    }
}

#[tokio::test]
async fn progress_comes_in_order_before_the_answer() {
    for size in SIZES {
        let cluster = Cluster::of(size).await;
        let mut client = Sse::connect(&cluster).await;
        client.accepted(&call(1, "progress")).await;
        for step in [1.0, 2.0, 3.0] {
            assert_eq!(client.message().await["params"]["progress"], step);
        }
        assert_eq!(client.text().await, "done");
    }
}

#[tokio::test]
async fn many_calls_run_at_a_time() {
    for size in SIZES {
        let cluster = Cluster::of(size).await;
        let mut client = Sse::connect(&cluster).await;
        for id in 1..=20 {
            client.accepted(&call(id, "gate")).await;
        }
        cluster.gate.add_permits(20);
        let mut answered = Vec::new();
        for _ in 0..20 {
            let answer = client.message().await;
            assert_eq!(answer["result"]["content"][0]["text"], "passed");
            answered.push(answer["id"].as_i64().unwrap());
        }
        answered.sort_unstable();
        assert_eq!(answered, (1..=20).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_client_is_asked_and_answers() {
    for size in SIZES {
        let cluster = Cluster::of(size).await;
        let mut client = Sse::connect(&cluster).await;
        client.accepted(&call(1, "ask")).await;
        let asked = client.message().await;
        assert_eq!(asked["method"], "ping");
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {}});
        client.accepted(&answer).await;
        assert_eq!(client.text().await, "answered");
        client.accepted(&answer).await;
        let unasked = json!({"jsonrpc": "2.0", "id": 7, "result": {}});
        client.post(&unasked).await.is_refused(400, -32600);
    }
}

#[tokio::test]
async fn a_cancelled_call_is_not_answered() {
    for size in SIZES {
        let cluster = Cluster::of(size).await;
        let mut client = Sse::connect(&cluster).await;
        client.accepted(&call(1, "gate")).await;
        cluster.sees("gate.waits").await;
        client.accepted(&cancel(1)).await;
        cluster.sees("gate.cancelled").await;
        client.accepted(&call(2, "echo")).await;
        assert_eq!(client.message().await["id"], 2);
    }
}

#[tokio::test]
async fn what_comes_by_itself() {
    for size in SIZES {
        let cluster = Cluster::of(size).await;
        let mut client = Sse::connect(&cluster).await;
        let noted = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
        client.accepted(&noted).await;
        assert_eq!(client.message().await["method"], "notifications/noted");

        let session = client.session().parse().unwrap();
        let told = |method: &str| {
            let told = CustomNotification::new(method.to_owned(), None);
            ServerNotification::CustomNotification(told)
        };
        cluster.instances[size - 1].notify(session, told("notifications/told")).await.unwrap();
        assert_eq!(client.message().await["method"], "notifications/told");
        let open = cluster.instances[0].open_streams().await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].0, session);
        cluster.instances[0].send_now(session, vec![told("notifications/tick")]);
        let tick = client.events.message().await;
        assert_eq!((&tick.data["method"], tick.id), (&json!("notifications/tick"), None));
    }
}

#[tokio::test]
async fn a_batch_is_answered_message_by_message() {
    for size in SIZES {
        let cluster = Cluster::of(size).await;
        let mut client = Sse::connect_as(&cluster, "alice", "2025-03-26").await;
        let batch = json!([
            call(1, "echo"),
            { "jsonrpc": "2.0", "method": "notifications/initialized" },
            { "jsonrpc": "2.0", "id": 2, "method": "ping" },
            { "jsonrpc": "2.0", "id": 3 },
            call(4, "gate"),
        ]);
        client.accepted(&batch).await;
        cluster.gate.add_permits(1);
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(client.message().await["id"].as_i64().unwrap());
        }
        ids.sort_unstable();
        assert_eq!(ids, [1, 2, 3, 4]);

        client.post(&json!([])).await.is_refused(400, -32600);
        let other = Sse::connect(&cluster).await;
        other.post(&json!([call(1, "echo")])).await.is_refused(400, -32600);
    }
}

#[tokio::test]
async fn running_calls_are_bounded() {
    let limits = Limits { calls_per_session: 1, ..Limits::default() };
    let cluster = Cluster::with(3, Config::default(), limits).await;
    let mut client = Sse::connect(&cluster).await;
    client.accepted(&call(1, "gate")).await;
    client.accepted(&call(2, "gate")).await;
    assert_eq!(client.error().await, (-32603, json!(2)));
    cluster.gate.add_permits(1);
    assert_eq!(client.text().await, "passed");
    client.accepted(&call(3, "echo")).await;
    assert_eq!(client.text().await, "echo");
}
