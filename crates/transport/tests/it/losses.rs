//! What is lost on the way: connections, bells, writes, instances.

use std::time::Duration;

use http::StatusCode;
use mcp_everything_store::{Bell, Bus as _, Limits, Ring};
use mcp_everything_transport::Config;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Client, Cluster, Events, call};

fn cancel(request: u64) -> Value {
    json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": request }
    })
}

/// A client that hangs up while its call waits for nothing but time.
async fn hang_up(cluster: &Cluster, client: &Client<'_>, tool: &str) {
    let message = call(1, tool);
    tokio::select! {
        biased;
        _ = client.open(&message) => panic!("it waits at the gate"),
        () = cluster.sees("gate.waits") => {}
    }
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_can_be_cancelled() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    hang_up(&cluster, &client, "gate").await;
    cluster.store.asked("open_call", 0).await;
    client.on(1).post(&cancel(1)).await;
    cluster.sees("gate.cancelled").await;
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_counted_and_ends_with_its_session() {
    let limits = Limits { calls_per_session: 1, ..Limits::default() };
    let cluster = Cluster::with(1, Config::default(), limits).await;
    let client = cluster.client().await;
    hang_up(&cluster, &client, "gate").await;
    cluster.store.asked("open_call", 0).await;
    client.post(&call(2, "ask")).await.is_refused(429, -32603);
    client.delete().await;
    cluster.sees("gate.cancelled").await;
}

#[tokio::test]
async fn a_promotion_goes_on_without_the_request_that_began_it() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let held = cluster.store.hold_up("open_call");
    let message = call(1, "gate");
    tokio::select! {
        _ = client.open(&message) => panic!("the store is held up"),
        () = cluster.store.asked("open_call", 0) => {}
    }
    held.add_permits(1);
    cluster.sees("gate.waits").await;
    client.post(&cancel(1)).await;
    cluster.sees("gate.cancelled").await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_found_without_its_bell() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "ask")).await;
    let id = stream.message().await.data["id"].clone();
    cluster.bus.lose_bells(true);
    let answer = json!({"jsonrpc": "2.0", "id": id, "result": {}});
    assert_eq!(client.on(1).post(&answer).await.status, StatusCode::ACCEPTED);
    assert_eq!(stream.message().await.data["result"]["content"][0]["text"], "answered");
}

#[tokio::test]
async fn a_cancellation_whose_bell_was_lost_is_found_when_that_is_known() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "gate")).await;
    stream.next().await.unwrap();
    cluster.sees("gate.waits").await;
    cluster.bus.lose_bells(true);
    assert_eq!(client.on(1).post(&cancel(1)).await.status, StatusCode::ACCEPTED);
    cluster.bus.lose_bells(false);
    cluster.bus.ring(Ring::All, Bell::Missed).await.unwrap();
    cluster.sees("gate.cancelled").await;
    assert_eq!(stream.rest().await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn what_a_store_that_was_away_missed_is_written_later() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    cluster.store.break_down("append");
    let mut stream = client.stream(&call(1, "progress")).await;
    let opening = stream.next().await.unwrap();
    for step in [1.0, 2.0, 3.0] {
        assert_eq!(stream.message().await.data["params"]["progress"], step);
    }
    drop(stream);
    let asked = cluster.store.count("append");
    cluster.store.mend("append");
    cluster.store.asked("append", asked).await;
    let mut rest = Events::of(client.get(opening.id.as_deref()).await);
    let messages = rest.rest().await;
    assert_eq!(messages.len(), 4);
    assert_eq!(messages[3]["result"]["content"][0]["text"], "done");
}

#[tokio::test]
async fn a_call_goes_on_when_it_cannot_be_kept() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    cluster.store.break_down("open_call");
    let mut stream = client.stream(&call(1, "progress")).await;
    let messages = stream.rest().await;
    assert_eq!(messages.len(), 4);
    assert_eq!(messages[3]["result"]["content"][0]["text"], "done");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_instance_died_is_answered_by_whoever_reads_on() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "gate")).await;
    let id = stream.next().await.unwrap().id;
    let mut rest = Events::of(client.on(1).get(id.as_deref()).await);
    rest.next().await.unwrap();
    cluster.bus.bury(cluster.ids[0].clone());
    let buried = Instant::now();
    let told = rest.message().await.data;
    // A lease that is gone is at most 2 s old news, and 5 s are promised.
    assert!(buried.elapsed() <= Duration::from_secs(3), "{:?}", buried.elapsed());
    assert_eq!((&told["error"]["code"], &told["id"]), (&json!(-32603), &json!(1)));
    assert_eq!(rest.next().await, None);
    // The one that was taken for dead is told so, and sends nothing more.
    cluster.gate.add_permits(1);
    cluster.store.asked("append", 1).await;
    let again = Events::of(client.get(id.as_deref()).await).rest().await;
    assert_eq!(again, [told]);
}

#[tokio::test]
async fn the_newest_reader_of_a_call_is_the_one() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let id = client.stream(&call(1, "gate")).await.next().await.unwrap().id;
    let mut first = Events::of(client.get(id.as_deref()).await);
    first.next().await.unwrap();
    let mut second = Events::of(client.get(id.as_deref()).await);
    assert_eq!(first.next().await, None, "a second one on the same instance");
    second.next().await.unwrap();
    let mut third = Events::of(client.on(1).get(id.as_deref()).await);
    assert_eq!(second.next().await, None, "a third one elsewhere");
    cluster.gate.add_permits(1);
    assert_eq!(third.message().await.data["result"]["content"][0]["text"], "passed");
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_readers() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let id = client.stream(&call(1, "gate")).await.next().await.unwrap().id;
    let mut rest = Events::of(client.on(1).get(id.as_deref()).await);
    rest.next().await.unwrap();
    client.delete().await;
    // It ended with its session, and says so.
    let told = rest.rest().await;
    assert!(told.iter().all(|told| told["error"]["code"] == -32603), "{told:?}");
}

#[tokio::test]
async fn an_answer_too_large_to_be_kept_is_said_to_be() {
    let config = Config { max_kept_answer: 10, ..Config::default() };
    let cluster = Cluster::with(1, config, Limits::default()).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "gate")).await;
    let id = stream.next().await.unwrap().id;
    cluster.gate.add_permits(1);
    assert_eq!(stream.message().await.data["result"]["content"][0]["text"], "passed");
    let kept = Events::of(client.get(id.as_deref()).await).rest().await;
    assert_eq!(kept[0]["error"]["code"], -32603);
    assert_eq!(kept[0]["id"], 1);
}

#[tokio::test]
async fn a_stream_whose_holder_died_is_taken_over() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut shadow = Events::of(client.on(1).get(None).await);
    shadow.next().await.unwrap();
    let mut holder = Events::of(client.get(None).await);
    holder.next().await.unwrap();
    cluster.bus.bury(cluster.ids[0].clone());
    let noted = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    client.on(1).post(&noted).await;
    cluster.bus.ring(Ring::All, Bell::Missed).await.unwrap();
    assert_eq!(shadow.message().await.data["method"], "notifications/noted");
}

#[tokio::test]
async fn an_answer_to_a_call_that_died_is_taken_all_the_same() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "ask")).await;
    let id = stream.message().await.data["id"].clone();
    cluster.bus.bury(cluster.ids[0].clone());
    let answer = json!({"jsonrpc": "2.0", "id": id, "result": {}});
    for _ in 0..2 {
        assert_eq!(client.on(1).post(&answer).await.status, StatusCode::ACCEPTED);
    }
}

#[tokio::test]
async fn progress_too_large_for_a_bell_is_not_passed_on() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "ask")).await;
    let token = stream.message().await.data["id"].clone();
    let progress = |message: String| {
        json!({
            "jsonrpc": "2.0", "method": "notifications/progress",
            "params": { "progressToken": token, "progress": 1, "message": message }
        })
    };
    for (message, passed_on) in [("x".repeat(5_000), 0), (String::new(), 1)] {
        let answer = client.on(1).post(&progress(message)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(cluster.store.count("read_call"), passed_on);
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_nobody_answers_is_taken_back_under_its_own_name() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "ask")).await;
    let asked = stream.message().await.data;
    let rest = stream.rest_whenever().await;
    assert_eq!(rest[0]["method"], "notifications/cancelled");
    assert_eq!(rest[0]["params"]["requestId"], asked["id"]);
    let told = rest[1]["result"]["content"][0]["text"].as_str().unwrap();
    assert!(told.contains("Timeout"), "{told}");
    let late = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {}});
    assert_eq!(client.post(&late).await.status, StatusCode::ACCEPTED);
}
