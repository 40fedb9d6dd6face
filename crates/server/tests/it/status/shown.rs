//! What is shown.

use std::{collections::BTreeSet, time::Duration};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::events::Looking;
use crate::support::{Deployment, Mcp, Server, Stream, call, rows::client, soon};

/// How long is waited for steps before it is asked again.
const SHORTLY: Duration = Duration::from_millis(500);

on_every_deployment!(
    figures_are_those_of_all_instances_and_change,
    what_is_done_for_a_session_is_shown_wherever_it_is_done,
    an_instance_that_goes_away_ends_its_streams,
);

fn sum(figures: &Value, of: impl Fn(&Value) -> u64) -> u64 {
    figures["instances"].as_array().unwrap().iter().map(of).sum()
}

fn requests(figures: &Value) -> u64 {
    let seconds = |instance: &Value| {
        let seconds = instance["seconds"].as_array().unwrap().iter();
        seconds.map(|second| second[0].as_u64().unwrap()).sum()
    };
    sum(figures, seconds)
}

async fn figures_are_those_of_all_instances_and_change(on: &Deployment) {
    let server = on.open();
    let mut looking = Looking::at(&server).await;
    let instances = server.instances.len();
    let is_redis = on.redis.is_some();
    // What Redis and the bus are like is known a moment after the start.
    let all = |figures: &Value| {
        let all = figures["instances"].as_array().unwrap();
        let known = |one: &Value| one["round_trip"].is_u64() && one["beat"].is_u64();
        all.len() == instances && (!is_redis || all.iter().all(known))
    };
    let first = looking.until("figures", all).await;
    assert_eq!(first["alone"], Value::Null);
    for instance in first["instances"].as_array().unwrap() {
        assert_eq!(instance["state"], "ready", "{instance}");
        assert_eq!(instance["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(instance["store"] == "redis", is_redis, "{instance}");
        assert_eq!(instance["round_trip"].is_u64(), is_redis, "{instance}");
        assert_eq!(instance["beat"].is_u64(), is_redis, "{instance}");
    }
    let here = first["here"].as_str().unwrap();
    let is_here = |instance: &Value| instance["instance"] == here;
    assert!(first["instances"].as_array().unwrap().iter().any(is_here));

    let client = Mcp::anonymous(&server).await;
    let _stream = client.get(None).await;
    for _ in 0..6 {
        client.is_served().await;
    }
    let later = looking.until("figures", |figures| {
        requests(figures) >= requests(&first) + 8
            && sum(figures, |instance| instance["streams"].as_u64().unwrap()) == 1
    });
    let later = later.await;
    assert_eq!(later["sessions"], 1, "one session, whichever instances served it: {later}");
    let gone = client.post(&json!({ "jsonrpc": "2.0" })).await;
    assert_eq!(gone.status, StatusCode::BAD_REQUEST);
    let errors = |instance: &Value| {
        let seconds = instance["seconds"].as_array().unwrap().iter();
        seconds.map(|second| second[1].as_u64().unwrap()).sum()
    };
    looking.until("figures", |figures| sum(figures, errors) >= 1).await;
    let lines = Looking::at(&server).await.until("lines", |_| true).await;
    assert!(lines.to_string().contains("server.started"), "{lines}");
}

/// Calls until each instance was seen to serve one.
async fn what_is_done_for_a_session_is_shown_wherever_it_is_done(on: &Deployment) {
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let session = client.session.clone().unwrap();
    let mut looking = Looking::watching(&server, &session).await;
    let listed = looking.until("sessions", |_| true).await;
    assert_eq!(listed[0]["id"], session.as_str());
    assert_eq!(listed[0]["name"], "test");

    let (mut steps, mut id) = (Vec::new(), 0);
    let serving = |steps: &[Value]| -> BTreeSet<String> {
        let sent = steps.iter().filter(|step| step["what"] == "sent");
        sent.map(|step| step["on"].as_str().unwrap().to_owned()).collect()
    };
    while serving(&steps).len() < server.instances.len() {
        assert!(id < 100, "each of them serves: {steps:?}");
        id += 1;
        let called = client.post(&call(id, "echo", &json!({ "message": "hi" }))).await;
        assert_eq!(called.text(), "Echo: hi");
        // Others may not know yet that somebody watches.
        let told = timeout(SHORTLY, looking.steps(|steps| !steps.is_empty())).await;
        steps.extend(told.unwrap_or_default());
    }
    let of = |what: &'static str| steps.iter().filter(move |step| step["what"] == what);
    for received in of("received") {
        assert_eq!(received["name"], "tools/call");
        assert!(received["contents"].as_str().unwrap().contains("\"hi\""), "{received}");
        let same = |step: &&Value| step["of"] == received["of"];
        assert!(of("asked").filter(same).any(|step| step["name"] == "admit"), "{steps:?}");
        assert!(received["bytes"].as_u64().unwrap() > 50);
    }
    assert!(of("sent").all(|step| step["kind"] == "result" && step["id"].is_string()));

    // One that takes longer is kept, so that another instance can go on with its stream.
    let slow = call(id + 1, "longRunningOperation", &json!({ "duration": 1, "steps": 2 }));
    let told = client.messages(&slow).await;
    assert_eq!(told.len(), 3);
    let id = (id + 1).to_string();
    let steps = looking.steps(|steps| {
        steps.iter().any(|step| step["kind"] == "result" && step["id"] == id.as_str())
    });
    let steps = steps.await;
    let names: BTreeSet<&str> = steps.iter().filter_map(|step| step["name"].as_str()).collect();
    for name in ["open_call", "append", "notifications/progress"] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
}

async fn an_instance_that_goes_away_ends_its_streams(on: &Deployment) {
    let mut server = on.open();
    let client = Mcp::anonymous(&server).await;
    for _ in 0..server.instances.len() * 2 {
        client.is_served().await;
    }
    let mut looking = Looking::at(&server).await;
    looking.until("figures", |_| true).await;
    server.signal("-TERM");
    while let Some(_told) = looking.next().await {}
    assert!(server.wait().success());
}

/// A client that asks at one instance and answers at another: the bell between them is seen.
#[tokio::test]
async fn a_bell_from_one_instance_to_another_is_shown() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    let mut client = Mcp::new(&server);
    client.initialize(json!({ "sampling": {} })).await;
    let session = client.session.clone().unwrap();
    let mut looking = Looking::watching(&server, &session).await;
    looking.until("sessions", |_| true).await;
    let [one, two] = [client.at(&server, 0), client.at(&server, 1)];
    // Until the instances know that somebody watches.
    for asked in [&one, &two] {
        let knows = async {
            let mut seen = false;
            while !seen {
                asked.is_served().await;
                let told = timeout(SHORTLY, looking.steps(|steps| !steps.is_empty()));
                seen = told.await.is_ok();
            }
        };
        soon(knows).await;
    }
    let asks = call(77, "sampleLLM", &json!({ "prompt": "?", "maxTokens": 9 }));
    let mut stream = Stream::of(one.send(&asks).await);
    let question = loop {
        let message = stream.next().await.unwrap();
        if message["method"] == "sampling/createMessage" {
            break message;
        }
    };
    let answer = json!({
        "jsonrpc": "2.0", "id": question["id"],
        "result": { "role": "assistant", "model": "m", "content": { "type": "text", "text": "!" } }
    });
    assert_eq!(two.post(&answer).await.status, StatusCode::ACCEPTED);
    stream.last().await;
    let has = |steps: &[Value], what: &str| {
        steps.iter().any(|step| step["what"] == what && step["name"] == "call_news")
    };
    let steps = looking.steps(|steps| has(steps, "heard") && has(steps, "rang")).await;
    let on = |what: &str| {
        let step = steps.iter().find(|step| step["what"] == what && step["name"] == "call_news");
        step.unwrap()["on"].clone()
    };
    assert_ne!(on("rang"), on("heard"), "the one rings, the other hears");
}

#[tokio::test]
async fn so_many_may_look() {
    let server = Server::open();
    let mut looking = Vec::new();
    for _ in 0..64 {
        looking.push(Looking::at(&server).await);
    }
    let url = server.url("/status/events");
    let refused = client().get(&url).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "5");
    drop(looking);
    let again = async {
        while client().get(&url).send().await.unwrap().status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    soon(again).await;
}
