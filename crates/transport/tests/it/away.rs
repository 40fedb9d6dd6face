//! What the endpoint does while the store is away.

use std::time::Duration;

use axum::response::Response;
use futures::{FutureExt as _, future::LocalBoxFuture};
use http::{Method, StatusCode};
use mcp_everything_store::{Bell, Bus as _, Limits, Ring, SessionId, Streams as _};
use mcp_everything_transport::Config;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{Answer, Client, Cluster, Events, call, initialize};

const OUTAGE: Duration = Duration::from_secs(10);

fn session(client: &Client<'_>) -> SessionId {
    client.session.as_deref().unwrap().parse().unwrap()
}

fn noted() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"})
}

/// What is answered to a request that comes when the store has just gone away for [`OUTAGE`].
fn in_an_outage<'a>(
    cluster: &'a Cluster,
    send: impl Future<Output = Response> + 'a,
) -> LocalBoxFuture<'a, Response> {
    cluster.store.is_away(true);
    let began = Instant::now();
    let back = async {
        sleep(OUTAGE).await;
        cluster.store.is_away(false);
    };
    let answered = async move {
        let response = send.await;
        assert!(began.elapsed() >= OUTAGE, "answered after {:?}", began.elapsed());
        response
    };
    async move { tokio::join!(answered, back).0 }.boxed_local()
}

#[track_caller]
fn says_when(answer: &Answer) {
    let seconds = answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    assert!((1..=4).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn what_asks_for_something_is_refused_at_once() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    cluster.store.is_away(true);
    let began = Instant::now();
    for (message, id) in [(call(7, "echo"), json!(7)), (call("x", "echo"), json!("x"))] {
        let refused = client.post(&message).await;
        refused.is_refused(503, -32603);
        assert_eq!(refused.body["id"], id);
        says_when(&refused);
    }
    let refused = Client::new(&cluster, "alice").post(&initialize("2025-11-25")).await;
    refused.is_refused(503, -32603);
    assert!(!refused.headers.contains_key("mcp-session-id"));
    let batched = cluster.client_of("alice", "2025-03-26");
    cluster.store.is_away(false);
    let batched = batched.await;
    cluster.store.is_away(true);
    batched.post(&json!([noted(), call(1, "echo")])).await.is_refused(503, -32603);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    cluster.store.is_away(false);
    client.post(&call(1, "echo")).await.says("echo");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_away() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let began = Instant::now();
    let _frozen = cluster.store.hold_up("admit");
    let _frozen = cluster.store.hold_up("create");
    client.post(&call(1, "echo")).await.is_refused(503, -32603);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let new = Client::new(&cluster, "alice");
    new.post(&initialize("2025-11-25")).await.is_refused(503, -32603);
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn streams_wait_for_the_store() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = Events::of(in_an_outage(&cluster, client.get(None)).await);
    let first = stream.next().await.unwrap();
    client.post(&noted()).await;
    let last = stream.message().await;
    for id in [&first.id, &last.id] {
        let again = in_an_outage(&cluster, client.get(id.as_deref())).await;
        assert!(Events::of(again).next().await.unwrap().id.is_some());
    }
    let mut calling = client.stream(&call(1, "gate")).await;
    let cut = calling.next().await.unwrap().id;
    drop(calling);
    let resumed = in_an_outage(&cluster, client.get(cut.as_deref())).await;
    cluster.gate.add_permits(1);
    let answer = Events::of(resumed).message().await;
    assert_eq!(answer.data["result"]["content"][0]["text"], "passed");
}

#[tokio::test(start_paused = true)]
async fn messages_that_ask_for_nothing_wait_for_the_store() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client_of("alice", "2025-03-26").await;
    let mut asking = client.stream(&call(1, "ask")).await;
    let id = asking.message().await.data["id"].clone();
    let _waiting = client.stream(&call(2, "gate")).await;
    cluster.sees("gate.waits").await;
    let answer = json!({"jsonrpc": "2.0", "id": id, "result": {}});
    let progress = json!({
        "jsonrpc": "2.0", "method": "notifications/progress",
        "params": { "progressToken": id, "progress": 1 }
    });
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 2 }
    });
    let elsewhere = client.on(1);
    let send = async |message: &Value| {
        let response = in_an_outage(&cluster, elsewhere.open(message)).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{message}");
    };
    send(&progress).await;
    send(&answer).await;
    assert_eq!(asking.message().await.data["result"]["content"][0]["text"], "answered");
    send(&cancel).await;
    cluster.sees("gate.cancelled").await;
    send(&noted()).await;
    send(&json!([noted()])).await;
    for _ in 0..2 {
        cluster.sees("roots.noted").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_can_be_ended_in_an_outage() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let delete = || client.request(Method::DELETE).body(axum::body::Body::empty()).unwrap();
    let deleted = in_an_outage(&cluster, client.send(delete())).await;
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    client.delete().await.is_refused(404, -32001);

    // Asked again, it finds that it has happened.
    let client = cluster.client().await;
    cluster.store.lose_answers("delete");
    let back = async {
        cluster.store.asked("delete", 2).await;
        cluster.store.mend("delete");
    };
    let (deleted, ()) = tokio::join!(client.delete(), back);
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    client.delete().await.is_refused(404, -32001);
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_for_ever() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    cluster.store.is_away(true);
    let began = Instant::now();
    let refused = Answer::of(client.get(None).await).await;
    refused.is_refused(503, -32603);
    says_when(&refused);
    let waited = began.elapsed();
    assert!((14..=15).contains(&waited.as_secs()), "{waited:?}");
    // A store that takes the requests and answers none is no different.
    cluster.store.is_away(false);
    let _frozen = cluster.store.hold_up("admit");
    let began = Instant::now();
    Answer::of(client.get(None).await).await.is_refused(503, -32603);
    let waited = began.elapsed();
    assert!((14..=15).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_wait_than_there_is_room_for() {
    let config = Config { held_requests: 1, ..Config::default() };
    let cluster = Cluster::with(1, config, Limits::default()).await;
    let client = cluster.client().await;
    cluster.store.is_away(true);
    let began = Instant::now();
    let mut first = Box::pin(client.get(None));
    tokio::select! {
        biased;
        _ = &mut first => panic!("it waits"),
        () = cluster.store.asked("admit", 1) => {}
    }
    Answer::of(client.get(None).await).await.is_refused(503, -32603);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // One whose client hangs up leaves its place.
    drop(first);
    cluster.store.is_away(false);
    Events::of(in_an_outage(&cluster, client.get(None)).await).next().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_goes_away_holds_nobody() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    cluster.store.is_away(true);
    let began = Instant::now();
    let drain = async {
        cluster.store.asked("admit", 1).await;
        cluster.instances[0].drain(Duration::from_secs(25)).await;
    };
    let (refused, ()) = tokio::join!(client.get(None), drain);
    Answer::of(refused).await.is_refused(503, -32603);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_open_stream_catches_up_by_itself() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = Events::of(client.get(None).await);
    let first = stream.next().await.unwrap();
    let asked = cluster.store.count("pull");
    // Only what streams ask: nobody else sees an outage, and rings when it is over.
    cluster.store.break_down("pull");
    let event = json!({"jsonrpc": "2.0", "method": "notifications/late"}).to_string();
    let session = session(&client);
    let _ = cluster.store.inner.push(session, event.into()).await.unwrap();
    cluster.bus.ring(Ring::All, Bell::StreamChanged(session)).await.unwrap();
    let began = Instant::now();
    let back = async {
        cluster.store.asked("pull", asked).await;
        sleep(OUTAGE).await;
        cluster.store.mend("pull");
    };
    let (event, ()) = tokio::join!(stream.message(), back);
    assert_eq!(event.data["method"], "notifications/late");
    assert!(began.elapsed() < OUTAGE + Duration::from_secs(5), "{:?}", began.elapsed());
    assert_ne!(event.id, first.id);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_that_could_not_be_read_is_read_later() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let _stream = client.stream(&call(1, "gate")).await;
    cluster.sees("gate.waits").await;
    cluster.store.break_down("call_news");
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 }
    });
    client.on(1).post(&cancel).await;
    cluster.store.asked("call_news", 0).await;
    cluster.store.mend("call_news");
    cluster.sees("gate.cancelled").await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_kept_from_a_client_that_is_there() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "gate")).await;
    let cut = stream.next().await.unwrap().id;
    cluster.store.break_down("append");
    cluster.gate.add_permits(1);
    let began = Instant::now();
    let answer = stream.message().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // And it is kept when the store is back.
    cluster.store.mend("append");
    let mut rest = Events::of(client.on(1).get(cut.as_deref()).await);
    assert_eq!(rest.message().await, answer);
}

#[tokio::test(start_paused = true)]
async fn a_question_reaches_the_log_when_the_store_is_back() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    cluster.store.break_down("append");
    let mut stream = client.stream(&call(1, "ask")).await;
    let cut = stream.next().await.unwrap().id;
    stream.message().await;
    drop(stream);
    cluster.store.mend("append");
    // The handler says nothing more before it has its answer.
    let mut rest = Events::of(client.on(1).get(cut.as_deref()).await);
    let id = rest.message().await.data["id"].clone();
    client.on(1).post(&json!({"jsonrpc": "2.0", "id": id, "result": {}})).await;
    assert_eq!(rest.message().await.data["result"]["content"][0]["text"], "answered");
}

#[tokio::test(start_paused = true)]
async fn a_question_whose_answer_would_find_nobody_is_not_asked() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    cluster.store.break_down("open_call");
    let mut stream = client.stream(&call(1, "ask")).await;
    let told = stream.message().await.data;
    let text = told["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("cannot reach its store"), "{text}");
    // One that is asked later, when the store is back, is.
    let mut stream = client.stream(&call(2, "gate and ask")).await;
    cluster.store.mend("open_call");
    cluster.gate.add_permits(1);
    let id = stream.message().await.data["id"].clone();
    client.on(1).post(&json!({"jsonrpc": "2.0", "id": id, "result": {}})).await;
    assert_eq!(stream.message().await.data["result"]["content"][0]["text"], "answered");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_lost_its_log_still_ends_in_it() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "count")).await;
    let cut = stream.next().await.unwrap().id;
    cluster.store.break_down("append");
    // More than wait for a store.
    cluster.gate.add_permits(300);
    for _ in 0..300 {
        stream.message().await;
    }
    cluster.store.mend("append");
    drop(stream);
    let mut rest = Events::of(client.on(1).get(cut.as_deref()).await);
    cluster.gate.add_permits(700);
    let told = rest.rest().await;
    assert_eq!(told.last().unwrap()["result"]["content"][0]["text"], "counted");
}
