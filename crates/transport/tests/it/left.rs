//! Calls whose clients have left.

use std::time::Duration;

use mcp_everything_store::{Limits, SessionId, Sessions as _};
use mcp_everything_transport::Config;
use serde_json::json;
use tokio::time::sleep;

use crate::support::{Client, Cluster, Events, call};

fn session(client: &Client<'_>) -> SessionId {
    client.session.as_deref().unwrap().parse().unwrap()
}

/// Lets time go by, for the instances and for the store.
async fn pass(cluster: &Cluster, minutes: u32) {
    for _ in 0..2 * minutes {
        sleep(Duration::from_secs(30)).await;
        cluster.clock.advance(Duration::from_secs(30));
    }
}

async fn lives(cluster: &Cluster, session: SessionId) -> bool {
    cluster.store.inner.state(session).await.unwrap().is_some()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_left_holds_its_session_for_a_while() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    drop(client.stream(&call(1, "gate")).await);
    cluster.sees("gate.waits").await;
    pass(&cluster, 9).await;
    assert!(lives(&cluster, session(&client)).await);
    // Ten minutes, and then a session's five. Its end is noticed within one more.
    pass(&cluster, 7).await;
    assert!(!lives(&cluster, session(&client)).await);
    pass(&cluster, 1).await;
    cluster.sees("gate.cancelled").await;
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_waits_for_holds_it_for_as_long() {
    let cluster = Cluster::of(2).await;
    let (waiting, reading) = (cluster.client().await, cluster.client().await);
    let _stream = waiting.stream(&call(1, "gate")).await;
    let cut = reading.stream(&call(1, "gate")).await.next().await.unwrap().id;
    let mut rest = Events::of(reading.on(1).get(cut.as_deref()).await);
    rest.next().await.unwrap();
    let reads = tokio::spawn(async move { rest.rest_whenever().await });
    pass(&cluster, 30).await;
    assert!(lives(&cluster, session(&waiting)).await);
    assert!(lives(&cluster, session(&reading)).await);
    reads.abort();
}

#[tokio::test]
async fn a_user_can_leave_so_many_calls_running() {
    let config = Config { left_calls_per_user: 1, ..Config::default() };
    let cluster = Cluster::with(1, config, Limits::default()).await;
    let (one, two) = (cluster.client().await, cluster.client().await);
    let other = cluster.client_of("bob", "2025-11-25").await;
    for client in [&one, &other] {
        drop(client.stream(&call(1, "gate")).await);
        cluster.sees("gate.waits").await;
    }
    // As many as there are connections for may run.
    let mut kept = two.stream(&call(1, "gate")).await;
    kept.next().await.unwrap();
    cluster.sees("gate.waits").await;
    let mut left = two.stream(&call(2, "gate")).await;
    let cut = left.next().await.unwrap().id;
    cluster.sees("gate.waits").await;
    drop(left);
    cluster.sees("gate.cancelled").await;
    let told = Events::of(two.get(cut.as_deref()).await).message().await.data;
    assert_eq!((&told["error"]["code"], &told["id"]), (&json!(-32603), &json!(2)));
    cluster.gate.add_permits(3);
    assert_eq!(kept.message().await.data["result"]["content"][0]["text"], "passed");
    for _ in 0..3 {
        cluster.sees("gate.passed").await;
    }
    // There is room again.
    drop(two.stream(&call(3, "gate")).await);
    cluster.sees("gate.waits").await;
    cluster.gate.add_permits(1);
    cluster.sees("gate.passed").await;
}
