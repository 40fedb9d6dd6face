use http::StatusCode;
use mcp_everything_store::{
    Bell, Bus as _, Ring, SessionId, Sessions as _, SystemRandom, oauth::AttemptId,
};
use rmcp::model::{CustomNotification, ServerNotification};
use serde_json::json;
use tokio::task::yield_now;

use crate::support::{Client, Cluster, Events, call, soon};

fn noted() -> serde_json::Value {
    json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"})
}

#[tokio::test]
async fn what_a_notification_sets_off_goes_to_the_standalone_stream() {
    let cluster = Cluster::of(1).await;
    let (session, mut stream) = {
        let client = cluster.client().await;
        let mut stream = Events::of(client.get(None).await);
        let first = stream.next().await.unwrap();
        assert!(first.id.is_some() && first.retry.is_some());
        assert_eq!(client.post(&noted()).await.status, StatusCode::ACCEPTED);
        (client.session.clone(), stream)
    };
    cluster.sees("roots.noted").await;
    let event = stream.message().await;
    assert_eq!(event.data["method"], "notifications/noted");
    drop(stream);

    // Without a stream it waits, and it comes once.
    let client = Client { session, ..Client::new(&cluster, "alice") };
    client.post(&noted()).await;
    let mut again = Events::of(client.get(None).await);
    assert_eq!(again.message().await.data["method"], "notifications/noted");
    drop(again);
    let mut replayed = Events::of(client.get(event.id.as_deref()).await);
    assert_eq!(replayed.message().await.data["method"], "notifications/noted");
}

#[tokio::test]
async fn the_newest_stream_gets_the_events_and_an_older_one_takes_over_when_it_ends() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut older = Events::of(client.get(None).await);
    older.next().await.unwrap();
    let mut newer = Events::of(client.get(None).await);
    newer.next().await.unwrap();
    client.post(&noted()).await;
    newer.message().await;
    drop(newer);
    client.post(&noted()).await;
    assert_eq!(older.message().await.data["method"], "notifications/noted");
}

#[tokio::test]
async fn streams_of_one_session_are_bounded_and_the_oldest_ends() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut oldest = Events::of(client.get(None).await);
    oldest.next().await.unwrap();
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(Events::of(client.get(None).await));
    }
    assert_eq!(oldest.rest().await, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn what_is_sent_now_is_not_kept() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let session = client.session.as_deref().unwrap().parse().unwrap();
    let tick = |method: &str| {
        ServerNotification::CustomNotification(CustomNotification::new(method.to_owned(), None))
    };
    let instance = &cluster.instances[0];
    instance.send_now(session, vec![tick("notifications/lost")]);
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    assert_eq!(instance.open_streams().await.unwrap()[0].0, session);
    instance.send_now(session, vec![tick("notifications/tick"); 100]);
    for _ in 0..100 {
        let event = stream.message().await;
        assert_eq!((event.data["method"].as_str(), event.id), (Some("notifications/tick"), None));
    }
}

/// Who has nothing on is asked about once; who flips a switch, at any instance, from then on.
#[tokio::test]
async fn only_sessions_that_may_have_a_switch_on_are_asked_about() {
    let cluster = Cluster::of(2).await;
    let (one, other) = (cluster.client().await, cluster.client().await);
    let mut streams = Vec::new();
    for client in [&one, &other] {
        let mut stream = Events::of(client.get(None).await);
        stream.next().await.unwrap();
        streams.push(stream);
    }
    let session: SessionId = one.session.as_deref().unwrap().parse().unwrap();
    let instance = &cluster.instances[0];
    let switched = async || {
        let switched = instance.switched_streams().await.unwrap();
        switched.into_iter().map(|(session, _)| session).collect::<Vec<_>>()
    };
    assert_eq!(switched().await, []);
    let asked = cluster.store.count("held");
    assert_eq!(switched().await, []);
    assert_eq!(cluster.store.count("held"), asked, "nothing was on, and nothing was flipped");
    let flip = async |bell: Bell| {
        let attempt = AttemptId::draw(&SystemRandom);
        cluster.store.inner.flip(session, "a", &attempt).await.unwrap();
        cluster.bus.ring(Ring::All, bell).await.unwrap();
    };
    // Each of the bells is enough.
    for bell in [Bell::Switched(session), Bell::Missed] {
        flip(bell.clone()).await;
        let seen = async {
            while switched().await != [session] {
                yield_now().await;
            }
        };
        soon(seen).await;
        assert_eq!(switched().await, [session], "for as long as it is on");
        flip(bell).await;
        let unseen = async {
            while !switched().await.is_empty() {
                yield_now().await;
            }
        };
        soon(unseen).await;
    }
    // Nobody rings, and all are looked at.
    cluster.bus.lose_bells(true);
    flip(Bell::Switched(session)).await;
    assert_eq!(switched().await, []);
    assert_eq!(instance.open_streams().await.unwrap().len(), 2);
    assert_eq!(switched().await, [session]);
    cluster.store.break_down("held");
    instance.switched_streams().await.unwrap_err();
    cluster.store.mend("held");
    assert_eq!(switched().await, [session], "it is asked about again");
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_streams() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = Events::of(client.get(None).await);
    client.delete().await;
    soon(stream.rest()).await;
}

#[tokio::test]
async fn what_a_lost_connection_was_given_comes_again() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    let session = client.session.as_deref().unwrap().parse().unwrap();
    for number in 0..3 {
        cluster.instances[0].notify(session, numbered(number)).await.unwrap();
    }
    stream.message().await;
    stream.message().await;
    drop(stream);
    cluster.store.asked("close_stream", 0).await;
    // The first was passed on for certain; nobody knows that of the second.
    let mut again = Events::of(client.get(None).await);
    assert_eq!(again.message().await.data["method"], "notifications/1");
    assert_eq!(again.message().await.data["method"], "notifications/2");
}

#[tokio::test]
async fn many_notifications_come_in_order() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let session = client.session.as_deref().unwrap().parse().unwrap();
    for number in 0..200 {
        cluster.instances[0].notify(session, numbered(number)).await.unwrap();
    }
    let mut stream = Events::of(client.get(None).await);
    for number in 0..200 {
        let event = stream.message().await;
        assert_eq!(event.data["method"], format!("notifications/{number}"));
    }
}

fn numbered(number: usize) -> ServerNotification {
    let method = format!("notifications/{number}");
    ServerNotification::CustomNotification(CustomNotification::new(method, None))
}

#[tokio::test]
async fn clients_that_cannot_read_events_without_data_get_none() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client_of("alice", "2025-06-18").await;
    let mut stream = Events::of(client.get(None).await);
    let mut calling = client.stream(&call(1, "gate")).await;
    cluster.gate.add_permits(1);
    client.post(&noted()).await;
    for first in [stream.next().await.unwrap(), calling.next().await.unwrap()] {
        assert!(!first.data.is_null() && first.retry.is_none(), "{first:?}");
    }
}
