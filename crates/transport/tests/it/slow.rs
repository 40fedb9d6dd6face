//! Clients that read slowly.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    probe::COUNT,
    support::{Cluster, Events, call},
};

#[tokio::test(start_paused = true)]
async fn a_slow_reader_loses_its_connection_and_nobody_else_waits() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut slow = client.stream(&call(1, "count")).await;
    let first = slow.next().await.unwrap();
    let mut fast = client.stream(&call(2, "count")).await;
    fast.next().await.unwrap();
    let began = Instant::now();
    cluster.gate.add_permits(2 * usize::from(COUNT));
    let told = fast.rest().await;
    assert_eq!(told.len(), usize::from(COUNT) + 1);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());

    // What was buffered for the slow one is all that it gets on this connection.
    sleep(Duration::from_secs(11)).await;
    let mut got = Vec::new();
    let mut last = first;
    while let Some(event) = slow.next().await {
        got.push(event.data["params"]["progress"].as_f64().unwrap());
        last = event;
    }
    assert!((64..80).contains(&got.len()), "{}", got.len());
    // Its call went on, and the rest waits.
    let mut rest = Events::of(client.on(1).get(last.id.as_deref()).await);
    let messages = rest.rest().await;
    let more = messages.iter().filter_map(|message| message["params"]["progress"].as_f64());
    got.extend(more);
    assert_eq!(got, (1..=COUNT).map(f64::from).collect::<Vec<_>>());
    assert_eq!(messages.last().unwrap()["result"]["content"][0]["text"], "counted");
}
