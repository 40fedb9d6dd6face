//! Streams that end, and clients that come back.

use std::time::Duration;

use mcp_everything_store::{Access, Bell, Bus as _, Clock as _, Ring, oauth::GrantId};
use serde_json::{Value, json};

use super::client::Sse;
use crate::support::{Cluster, Event, call, initialize, owner, soon};

const GRANT: GrantId = GrantId::from_bytes([7; 16]);

fn noted() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"})
}

async fn is_over(client: &mut Sse<'_>) {
    assert_eq!(client.events.next().await, None, "the stream ends");
}

#[tokio::test]
async fn a_client_goes_on_with_its_session_on_another_instance() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::connect(&cluster).await;
    let (url, id) = (client.url().to_owned(), client.last.clone());
    client.accepted(&noted()).await;
    cluster.sees("roots.noted").await;
    assert_eq!(client.message().await["method"], "notifications/noted");
    client.last.clone_from(&id);
    client.accepted(&noted()).await;
    cluster.sees("roots.noted").await;

    let mut client = client.back(1).await;
    assert_eq!((client.url(), &client.opening.id), (url.as_str(), &id));
    for _ in 0..2 {
        assert_eq!(client.message().await["method"], "notifications/noted");
    }
    client.accepted(&call(1, "echo")).await;
    assert_eq!(client.text().await, "echo");
}

#[tokio::test]
async fn a_client_that_was_cut_off_before_any_message_comes_back_too() {
    let cluster = Cluster::of(3).await;
    let client = Sse::open(&cluster, "alice").await;
    let session = client.session().to_owned();
    let mut client = client.back(2).await;
    assert_eq!(client.session(), session);
    client.accepted(&initialize("2024-11-05")).await;
    assert_eq!(client.message().await["id"], 0);
}

#[tokio::test]
async fn without_an_id_of_ours_a_session_is_new() {
    let cluster = Cluster::of(1).await;
    let client = Sse::connect(&cluster).await;
    for id in [None, Some(""), Some("s.1"), Some("nonsense")] {
        let other = Sse::back_as(&cluster, owner("alice"), None, id, 0).await;
        assert_ne!(other.session(), client.session());
    }
}

#[tokio::test]
async fn a_session_lives_five_minutes_without_its_stream() {
    let cluster = Cluster::of(1).await;
    let mut client = Sse::connect(&cluster).await;
    let (session, last) = (client.session().to_owned(), client.last.clone());
    client.hang_up().await;
    cluster.clock.advance(Duration::from_secs(299));
    let mut back = Sse::back_as(&cluster, owner("alice"), None, last.as_deref(), 0).await;
    assert_eq!(back.session(), session);
    back.hang_up().await;
    cluster.clock.advance(Duration::from_secs(300));
    let back = Sse::back_as(&cluster, owner("alice"), None, last.as_deref(), 0).await;
    assert_ne!(back.session(), session);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_would_hear_the_answer_of_is_refused() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::connect(&cluster).await;
    client.hang_up().await;
    client.post(&call(1, "echo")).await.is_refused(404, -32001);
    // What asks for nothing is taken.
    client.accepted(&noted()).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_a_moment_for_its_client_to_come_back() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::connect(&cluster).await;
    let last = client.last.clone();
    client.hang_up().await;
    let asked = cluster.store.count("holder");
    let message = call(1, "echo");
    let ((), mut back) = tokio::join!(client.accepted(&message), async {
        cluster.store.asked("holder", asked + 3).await;
        Sse::back_as(&cluster, owner("alice"), None, last.as_deref(), 2).await
    });
    assert_eq!(back.text().await, "echo");
}

#[tokio::test]
async fn an_instance_that_goes_away_hands_its_clients_over() {
    let cluster = Cluster::of(3).await;
    let mut idle = Sse::connect(&cluster).await;
    let mut busy = Sse::connect(&cluster).await;
    busy.accepted_by(1, &call(1, "gate")).await;
    cluster.sees("gate.waits").await;
    let draining = cluster.instances[0].drain(Duration::from_secs(600));
    tokio::pin!(draining);
    tokio::select! {
        () = &mut draining => panic!("a client waits for its answer"),
        () = is_over(&mut idle) => {}
    }
    let mut idle = idle.back(1).await;
    idle.accepted_by(2, &call(1, "echo")).await;
    assert_eq!(idle.text().await, "echo");

    cluster.gate.add_permits(1);
    let ((), ()) = tokio::join!(
        async {
            assert_eq!(busy.text().await, "passed");
            is_over(&mut busy).await;
        },
        async { soon(draining).await }
    );
    let mut busy = busy.back(2).await;
    busy.accepted_by(1, &call(2, "echo")).await;
    assert_eq!(busy.text().await, "echo");
}

#[tokio::test]
async fn what_is_left_at_the_end_ends() {
    let cluster = Cluster::of(2).await;
    let mut client = Sse::connect(&cluster).await;
    client.accepted_by(1, &call(1, "gate")).await;
    cluster.sees("gate.waits").await;
    cluster.instances[0].shut_down();
    is_over(&mut client).await;
    let mut client = client.back(1).await;
    cluster.gate.add_permits(1);
    assert_eq!(client.text().await, "passed");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_token_and_goes_on_with_the_next() {
    let cluster = Cluster::of(2).await;
    let access = || Access { until: cluster.clock.now() + Duration::from_secs(3600), grant: GRANT };
    let mut client = Sse::open_with(&cluster, owner("alice"), Some(access())).await;
    client.accepted(&initialize("2024-11-05")).await;
    client.message().await;
    client.accepted(&call(1, "gate")).await;
    cluster.sees("gate.waits").await;
    tokio::time::advance(Duration::from_secs(3601)).await;
    is_over(&mut client).await;
    let last = client.last.as_deref();
    let mut client = Sse::back_as(&cluster, owner("alice"), Some(access()), last, 1).await;
    cluster.gate.add_permits(1);
    assert_eq!(client.text().await, "passed", "its call went on");

    client.accepted(&call(2, "gate")).await;
    cluster.sees("gate.passed").await;
    cluster.sees("gate.waits").await;
    cluster.bus.ring(Ring::All, Bell::Revoked(GRANT)).await.unwrap();
    cluster.sees("gate.cancelled").await;
    while let Some(Event { data, .. }) = client.events.next().await {
        assert_eq!(data["error"]["code"], -32603, "{data}");
    }
}
