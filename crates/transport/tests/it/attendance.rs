//! Sessions that are served for longer than a request are seen to be.

use crate::support::{Cluster, Events, call};

#[tokio::test]
async fn a_session_is_attended_to_while_it_has_a_stream_or_a_call_that_runs() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    cluster.bus.attends(0).await;
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    cluster.bus.attends(1).await;
    let mut running = client.stream(&call(1, "gate")).await;
    running.next().await.unwrap();
    cluster.bus.attends(2).await;
    drop(stream);
    cluster.bus.attends(1).await;
    cluster.gate.add_permits(1);
    running.message().await;
    cluster.bus.attends(0).await;
}
