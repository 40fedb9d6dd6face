//! A client whose connection breaks again and again misses nothing and sees nothing twice.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use serde_json::{Value, json};

use crate::it::support::{Deployment, Mcp, Server, Stream, call};

const EVENTS: usize = 1000;
const CUTS: usize = 50;

/// After which events the connection is cut.
fn cuts() -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    while places.len() < CUTS {
        let random = RandomState::new().build_hasher().finish();
        let place = 1 + usize::try_from(random % (EVENTS as u64 - 1)).unwrap();
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_unstable();
    println!("cut after {places:?}");
    places
}

/// The client hangs up, or the connection to the instance breaks, in turn.
async fn cut(server: &Server, turn: usize, stream: &mut Stream) {
    if turn.is_multiple_of(2) {
        (0..3).for_each(|instance| server.balancer().cut(instance));
        // What was on its way may still come, and is not looked at.
        while let Ok(Some(_)) = stream.try_next().await {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_a_call_comes_once_and_in_order() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let operation = call(1, "longRunningOperation", &json!({ "duration": 15, "steps": EVENTS }));
    let mut stream = Stream::of(client.send(&operation).await);
    let (mut seen, mut cuts) = (0, cuts().into_iter().enumerate().peekable());
    let answer = loop {
        let message = stream.next().await.expect("the stream goes on to the answer");
        if message["method"] != "notifications/progress" {
            break message;
        }
        seen += 1;
        assert_eq!(message["params"]["progress"], json!(f64::from(u32::try_from(seen).unwrap())));
        if let Some((turn, _)) = cuts.next_if(|(_, place)| *place == seen) {
            let last = stream.last_id.clone();
            cut(&server, turn, &mut stream).await;
            stream = Stream::of(client.get(last.as_deref()).await);
        }
    };
    assert_eq!(seen, EVENTS);
    assert_eq!(cuts.next(), None, "every cut was made");
    assert!(answer["result"].is_object(), "{answer}");
    println!("{EVENTS} events, {CUTS} cuts: each came once and in order");
    drop(server);
    on.every_instance_answered();
}

/// Two kinds of change in turn, so that what comes twice or not at all is seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_the_standalone_stream_comes_once_and_in_order() {
    let on = Deployment::three_on_redis();
    let server = on.with(&[("CONFORMANCE", "on")]);
    let client = Mcp::of(&server, "alice").await;
    let mut stream = Stream::of(client.get(None).await);
    let changing = tokio::spawn(change(client.clone()));
    let (mut seen, mut cuts) = (0, cuts().into_iter().enumerate().peekable());
    while seen < EVENTS {
        let message = stream.next().await.expect("the stream stays open");
        let method = message["method"].as_str().unwrap();
        // What comes at fixed intervals is no event.
        if !method.ends_with("/list_changed") {
            continue;
        }
        assert_eq!(method, CHANGES[seen % 2].1, "event {seen}");
        seen += 1;
        if let Some((turn, _)) = cuts.next_if(|(_, place)| *place == seen) {
            let last = stream.last_id.clone();
            cut(&server, turn, &mut stream).await;
            stream = Stream::of(client.get(last.as_deref()).await);
        }
    }
    changing.await.unwrap();
    println!("{EVENTS} events, {CUTS} cuts: each came once and in order");
}

const CHANGES: [(&str, &str); 2] = [
    ("test_trigger_tool_change", "notifications/tools/list_changed"),
    ("test_trigger_prompt_change", "notifications/prompts/list_changed"),
];

async fn change(client: Mcp) {
    for number in 0..EVENTS {
        let answer = client.call(CHANGES[number % 2].0, json!({})).await;
        assert_eq!(answer.body["result"]["isError"], Value::Null, "{answer:?}");
    }
}
