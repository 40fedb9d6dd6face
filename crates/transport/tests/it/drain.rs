//! How an instance goes away.

use std::time::Duration;

use futures::future::join_all;
use mcp_everything_store::{Limits, Streams as _};
use mcp_everything_transport::Config;
use rmcp::model::{CustomNotification, ServerNotification};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    stateless,
    support::{Answer, Client, Cluster, Events, call, soon},
};

const PATIENCE: Duration = Duration::from_secs(10);

fn told() -> ServerNotification {
    ServerNotification::CustomNotification(CustomNotification::new("notifications/told", None))
}

#[tokio::test(start_paused = true)]
async fn streams_end_one_after_another_and_say_when_to_come_back() {
    let cluster = Cluster::of(2).await;
    let mut streams = Vec::new();
    for _ in 0..30 {
        let client = cluster.client().await;
        let mut stream = Events::of(client.get(None).await);
        stream.next().await.unwrap();
        streams.push(stream);
    }
    let began = Instant::now();
    let ends = join_all(streams.iter_mut().map(async |stream| {
        let last = stream.next().await.unwrap();
        assert!(last.id.is_none() && last.data.is_null(), "{last:?}");
        assert_eq!(stream.next().await, None);
        (began.elapsed(), last.retry.unwrap())
    }));
    let (mut ends, ()) = tokio::join!(ends, cluster.instances[0].drain(PATIENCE));
    // Nothing was running, and everybody has left.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    ends.sort_unstable();
    let (first, last) = (ends[0].0, ends[29].0);
    assert!(last <= Duration::from_millis(2100), "{last:?}");
    assert!(last > first + Duration::from_secs(1), "{first:?} to {last:?}");
    let mut hints: Vec<u64> = ends.iter().map(|end| end.1).collect();
    hints.sort_unstable();
    assert!(500 <= hints[0] && hints[29] <= 3000, "{hints:?}");
    assert!(hints[29] - hints[0] > 1000, "{hints:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_another_instances_at_once() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let session = client.session.as_deref().unwrap().parse().unwrap();
    let mut shadow = Events::of(client.on(1).get(None).await);
    shadow.next().await.unwrap();
    let mut holder = Events::of(client.get(None).await);
    holder.next().await.unwrap();
    let (rest, ()) = tokio::join!(holder.rest(), cluster.instances[0].drain(PATIENCE));
    assert_eq!(rest, Vec::<Value>::new());
    // It was given up before the instance was done, and not because that died.
    let held_by = cluster.store.inner.holder(session).await.unwrap();
    assert!(held_by.is_none() || held_by == Some(cluster.ids[1].clone()), "{held_by:?}");
    cluster.instances[1].notify(session, told()).await.unwrap();
    assert_eq!(shadow.message().await.data["method"], "notifications/told");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_keeps_nobody_waiting() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let _unread = client.get(None).await;
    let mut calling = client.on(1).stream(&call(1, "gate")).await;
    let cut = calling.next().await.unwrap().id;
    let _unread_rest = client.get(cut.as_deref()).await;
    let began = Instant::now();
    cluster.instances[0].drain(PATIENCE).await;
    assert!(began.elapsed() <= Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn clients_that_cannot_read_events_without_data_are_told_nothing() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client_of("alice", "2025-06-18").await;
    let mut stream = Events::of(client.get(None).await);
    let (end, ()) = tokio::join!(stream.next(), cluster.instances[0].drain(PATIENCE));
    assert_eq!(end, None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_always_has_something_to_say_ends_too() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let session = client.session.as_deref().unwrap().parse().unwrap();
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    let said = async {
        loop {
            for _ in 0..2 {
                cluster.instances[1].notify(session, told()).await.unwrap();
            }
            sleep(Duration::from_millis(1)).await;
            if stream.next().await.is_some_and(|event| event.retry.is_some()) {
                return;
            }
        }
    };
    let began = Instant::now();
    tokio::join!(said, cluster.instances[0].drain(PATIENCE));
    assert!(began.elapsed() <= Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_in_time_is_answered() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut here = client.stream(&call(1, "gate")).await;
    here.next().await.unwrap();
    let cut = client.stream(&call(2, "gate")).await.next().await.unwrap().id;
    let mut rest = Events::of(client.get(cut.as_deref()).await);
    rest.next().await.unwrap();
    let done = async {
        sleep(PATIENCE / 2).await;
        cluster.gate.add_permits(2);
        (here.rest().await, rest.rest().await)
    };
    let began = Instant::now();
    let ((here, rest), ()) = tokio::join!(done, cluster.instances[0].drain(PATIENCE));
    for answer in [here, rest] {
        assert_eq!(answer[0]["result"]["content"][0]["text"], "passed");
    }
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_is_ended_with_a_word_that_is_kept() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut here = client.stream(&call(1, "deaf")).await;
    let cut_here = here.next().await.unwrap().id;
    cluster.sees("deaf.waits").await;
    // Nobody is there to hear the second one.
    let cut = client.stream(&call(2, "deaf")).await.next().await.unwrap().id;
    let began = Instant::now();
    let (said, ()) = tokio::join!(here.rest(), cluster.instances[0].drain(PATIENCE));
    let took = began.elapsed();
    assert!(PATIENCE <= took && took < PATIENCE + Duration::from_secs(3), "{took:?}");
    assert_eq!((&said[0]["error"]["code"], &said[0]["id"]), (&json!(-32603), &json!(1)));
    assert_eq!(said.len(), 1);
    // Another instance knows it from the log, as soon as this one is done.
    for (cut, id) in [(cut_here, 1), (cut, 2)] {
        let mut rest = Events::of(client.on(1).get(cut.as_deref()).await);
        let told = rest.message().await;
        assert_eq!((&told.data["error"]["code"], &told.data["id"]), (&json!(-32603), &json!(id)));
        assert!(told.id.unwrap().contains("f."), "it is the last");
        assert_eq!(rest.next().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_does_not_keep_an_instance() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let _stream = client.get(None).await;
    let mut here = client.stream(&call(1, "deaf")).await;
    here.next().await.unwrap();
    cluster.store.is_away(true);
    let began = Instant::now();
    let (said, ()) = tokio::join!(here.message(), cluster.instances[0].drain(PATIENCE));
    assert_eq!(said.data["error"]["code"], -32603);
    assert!(began.elapsed() < PATIENCE + Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn without_a_session_too() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    // One that says something, and one that says nothing.
    cluster.gate.add_permits(1);
    let mut streaming = Events::of(stateless::call(&client, "count").await);
    streaming.message().await;
    let drain = async {
        cluster.sees("gate.waits").await;
        cluster.instances[0].drain(PATIENCE).await;
    };
    let began = Instant::now();
    let (cut, said, ()) = tokio::join!(
        async { Answer::of(stateless::call(&client, "gate").await).await },
        streaming.rest(),
        drain,
    );
    cut.is_refused(503, -32603);
    assert_eq!(cut.body["id"], 1);
    assert_eq!((&said[0]["error"]["code"], &said[0]["id"]), (&json!(-32603), &json!(1)));
    assert_eq!(said.len(), 1);
    assert!(began.elapsed() < PATIENCE + Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_call_that_runs_elsewhere_is_read_elsewhere() {
    let cluster = Cluster::of(3).await;
    let client = cluster.client().await;
    let cut = client.stream(&call(1, "gate")).await.next().await.unwrap().id;
    let mut rest = Events::of(client.on(1).get(cut.as_deref()).await);
    rest.next().await.unwrap();
    let (end, ()) = tokio::join!(rest.next(), cluster.instances[1].drain(PATIENCE));
    assert!(end.unwrap().retry.is_some());
    assert_eq!(rest.next().await, None);
    let mut rest = Events::of(client.on(2).get(cut.as_deref()).await);
    cluster.gate.add_permits(1);
    assert_eq!(rest.message().await.data["result"]["content"][0]["text"], "passed");
}

#[tokio::test(start_paused = true)]
async fn clients_are_not_all_told_to_come_back_at_the_same_time() {
    let cluster = Cluster::with(1, Config::default(), Limits::default()).await;
    let mut hints = Vec::new();
    for _ in 0..20 {
        let client: Client<'_> = cluster.client().await;
        let mut stream = Events::of(client.get(None).await);
        hints.push(soon(stream.next()).await.unwrap().retry.unwrap());
    }
    hints.sort_unstable();
    assert!(500 <= hints[0] && hints[19] <= 1500 && hints[19] - hints[0] > 300, "{hints:?}");
}
