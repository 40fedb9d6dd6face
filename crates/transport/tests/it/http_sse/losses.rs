//! What is lost on the way: instances, bells, writes, room.

use std::time::Duration;

use mcp_everything_store::{CallId, Calls as _, Limits, NewCall, SystemRandom};
use mcp_everything_transport::Config;
use rmcp::model::{CustomNotification, ServerNotification};
use serde_json::json;

use super::client::{Sse, endpoints};
use crate::{
    probe::LARGE,
    support::{Cluster, call, owner},
};

#[tokio::test(start_paused = true)]
async fn a_call_whose_instance_died_is_answered_with_an_error() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::connect(&cluster).await;
    // A name that is too long to be kept in a key.
    let name = "x".repeat(40);
    client.accepted_by(1, &call(name.as_str(), "gate")).await;
    client.accepted_by(2, &call(2, "gate")).await;
    cluster.sees("gate.waits").await;
    cluster.sees("gate.waits").await;
    cluster.bus.bury(cluster.ids[1].clone());
    let died = tokio::time::Instant::now();
    assert_eq!(client.error().await, (-32603, json!(name)));
    assert!(died.elapsed().as_secs() < 5);
    // The one that was only taken for dead is not heard any more; the other one is.
    let said = cluster.store.count("say");
    cluster.gate.add_permits(2);
    cluster.store.asked("say", said + 1).await;
    assert_eq!(client.message().await["id"], 2);
    client.accepted_by(2, &call(3, "echo")).await;
    assert_eq!(client.message().await["id"], 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_the_stream_over_tells_of_calls_that_died_with_its_holder() {
    let cluster = Cluster::of(3).await;
    let client = Sse::connect(&cluster).await;
    client.accepted_by(0, &call(1, "gate")).await;
    cluster.sees("gate.waits").await;
    cluster.bus.bury(cluster.ids[0].clone());
    let last = client.last.clone();
    let mut back = Sse::back_as(&cluster, owner("alice"), None, last.as_deref(), 2).await;
    assert_eq!(back.error().await, (-32603, json!(1)));
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nothing_is_left_of_here_is_noticed_too() {
    let cluster = Cluster::of(1).await;
    let mut client = Sse::connect(&cluster).await;
    // Another process of the same name left it behind.
    let session = client.session().parse().unwrap();
    let last_words = json!({
        "jsonrpc": "2.0", "id": 9, "error": { "code": -32603, "message": "" }
    });
    let left = NewCall {
        id: CallId::random(&SystemRandom),
        request: None,
        instance: cluster.ids[0].clone(),
        age: Duration::ZERO,
        last_words: Some(last_words.to_string().into()),
    };
    let _ = cluster.store.open_call(session, left).await.unwrap();
    client.accepted(&call(1, "echo")).await;
    assert_eq!(client.text().await, "echo");
    assert_eq!(client.error().await, (-32603, json!(9)));
}

#[tokio::test]
async fn an_answer_larger_than_the_stream_may_be_is_said_to_be() {
    let limits = Limits { log_bytes: LARGE / 2, ..Limits::default() };
    let cluster = Cluster::with(3, Config::default(), limits).await;
    let mut client = Sse::connect(&cluster).await;
    client.accepted(&call(1, "large")).await;
    assert_eq!(client.error().await, (-32603, json!(1)));
    client.accepted(&call(2, "echo")).await;
    assert_eq!(client.text().await, "echo");
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_for_room_and_none_is_dropped_for_another() {
    let limits = Limits { log_bytes: LARGE * 3 / 2, ..Limits::default() };
    let cluster = Cluster::with(3, Config::default(), limits).await;
    let mut client = Sse::connect(&cluster).await;
    for id in 1..=3 {
        client.accepted(&call(id, "large")).await;
    }
    // A notification finds no room either, and that is said.
    let session = client.session().parse().unwrap();
    let large = json!({ "data": "x".repeat(LARGE) }).as_object().cloned().map(Into::into);
    let told = CustomNotification::new("notifications/told", large);
    let told = ServerNotification::CustomNotification(told);
    cluster.instances[1].notify(session, told).await.unwrap();
    let mut answered = Vec::new();
    for _ in 1..=3 {
        let answer = client.message().await;
        assert_eq!(answer["result"]["content"][0]["text"].as_str().unwrap().len(), LARGE);
        answered.push(answer["id"].as_i64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_a_store_could_not_take_comes_later() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::connect(&cluster).await;
    cluster.store.break_down("say");
    client.accepted(&call(1, "progress")).await;
    let said = cluster.store.count("say");
    cluster.store.asked("say", said + 3).await;
    cluster.store.mend("say");
    for step in [1.0, 2.0, 3.0] {
        assert_eq!(client.message().await["params"]["progress"], step);
    }
    assert_eq!(client.text().await, "done");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_found_without_its_bell() {
    let cluster = Cluster::of(3).await;
    let mut client = Sse::connect(&cluster).await;
    client.accepted_by(1, &call(1, "gate")).await;
    cluster.sees("gate.waits").await;
    cluster.bus.lose_bells(true);
    cluster.gate.add_permits(1);
    assert_eq!(client.text().await, "passed");
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_the_202_is_answered() {
    let cluster = Cluster::of(2).await;
    let mut client = Sse::connect(&cluster).await;
    let request = client.posting().body(call(1, "gate").to_string().into()).unwrap();
    let held = cluster.store.hold_up("open_call");
    let message = endpoints(&cluster, 1).message;
    tokio::select! {
        _ = message.handle(request) => panic!("the store is held up"),
        () = cluster.store.asked("open_call", 0) => {}
    }
    held.add_permits(1);
    cluster.gate.add_permits(1);
    assert_eq!(client.text().await, "passed");
}
