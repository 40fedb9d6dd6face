//! Sessions that are gone while something of them is open: the store was emptied, or they expired.

use std::time::Duration;

use futures::future::join_all;
use mcp_everything_store::{Bell, Bus as _, Ring, SessionId, Sessions as _};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{Client, Cluster, Events, call, owner};

/// Takes sessions away without a word.
async fn forget(cluster: &Cluster, sessions: &[SessionId]) {
    for session in sessions {
        assert!(cluster.store.inner.delete(*session, &owner("alice")).await.unwrap());
    }
}

fn session(client: &Client<'_>) -> SessionId {
    client.session.as_deref().unwrap().parse().unwrap()
}

/// A stream that waits for its bell.
async fn quiet(client: &Client<'_>) -> Events {
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    let more = tokio::time::timeout(Duration::from_millis(1), stream.next()).await;
    assert!(more.is_err(), "{more:?}");
    stream
}

#[tokio::test(start_paused = true)]
async fn what_is_open_ends_when_it_is_next_held() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    let mut calling = client.stream(&call(1, "gate")).await;
    calling.next().await.unwrap();
    let cut = client.stream(&call(2, "gate")).await.next().await.unwrap().id;
    let mut rest = Events::of(client.on(1).get(cut.as_deref()).await);
    rest.next().await.unwrap();
    for _ in 0..2 {
        cluster.sees("gate.waits").await;
    }
    let began = Instant::now();
    forget(&cluster, &[session(&client)]).await;
    let told = calling.rest_whenever().await;
    assert_eq!((&told[0]["error"]["code"], &told[0]["id"]), (&json!(-32603), &json!(1)));
    assert_eq!(stream.rest_whenever().await, Vec::<Value>::new());
    assert_eq!(rest.rest_whenever().await, Vec::<Value>::new());
    assert!(began.elapsed() <= Duration::from_secs(61), "{:?}", began.elapsed());
    for _ in 0..2 {
        cluster.sees("gate.cancelled").await;
    }
}

#[tokio::test(start_paused = true)]
async fn and_at_once_when_bells_were_missed() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    let _calling = client.stream(&call(1, "gate")).await;
    cluster.sees("gate.waits").await;
    forget(&cluster, &[session(&client)]).await;
    let began = Instant::now();
    cluster.bus.ring(Ring::All, Bell::Missed).await.unwrap();
    cluster.sees("gate.cancelled").await;
    assert!(stream.next().await.unwrap().retry.is_some());
    assert_eq!(stream.next().await, None);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(cluster.instances[0].open_streams().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn many_end_over_a_while_and_their_calls_at_once() {
    let cluster = Cluster::of(1).await;
    let (mut streams, mut sessions) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        let client = cluster.client().await;
        sessions.push(session(&client));
        streams.push(quiet(&client).await);
    }
    let survivor = cluster.client().await;
    let mut surviving = quiet(&survivor).await;
    let last = Client { session: Some(sessions[99].to_string()), ..survivor.clone() };
    let _calling = last.stream(&call(1, "gate")).await;
    cluster.sees("gate.waits").await;
    // The store was away, and comes back empty.
    cluster.store.is_away(true);
    sleep(Duration::from_secs(11)).await;
    forget(&cluster, &sessions).await;
    cluster.store.is_away(false);
    let began = Instant::now();
    cluster.bus.ring(Ring::All, Bell::Missed).await.unwrap();
    cluster.sees("gate.cancelled").await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let ends = join_all(streams.iter_mut().map(async |stream| {
        assert!(stream.next().await.unwrap().retry.is_some());
        assert_eq!(stream.next().await, None);
        began.elapsed()
    }));
    let mut ends = ends.await;
    ends.sort_unstable();
    assert!(ends[0] < Duration::from_secs(1), "{:?}", ends[0]);
    assert!((9..=31).contains(&ends[99].as_secs()), "{:?}", ends[99]);
    let half = ends[49].as_secs_f64() / ends[99].as_secs_f64();
    assert!((0.4..0.6).contains(&half), "{half}");
    // One that lives is left alone.
    survivor.post(&json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"})).await;
    assert_eq!(surviving.message().await.data["method"], "notifications/noted");
}
