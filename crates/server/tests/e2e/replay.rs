//! A client whose connection breaks again and again misses nothing and sees nothing twice.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use serde_json::json;

use crate::it::support::{Deployment, Mcp, Server, Sse, Stream, call};

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
        assert_eq!(message["params"]["progress"], progress(seen));
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

/// On a stream of HTTP with SSE everything comes, whichever instance the call runs on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_http_with_sse_comes_once_and_in_order() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    let mut client = Sse::open(&server, None).await;
    client.initialize().await;
    let operation = call(1, "longRunningOperation", &json!({ "duration": 15, "steps": EVENTS }));
    client.accepted(&operation).await;
    let (mut seen, mut cuts) = (0, cuts().into_iter().enumerate().peekable());
    let answer = loop {
        let message = client.stream.next().await.expect("the stream stays open");
        match message["method"].as_str() {
            None => break message,
            Some("notifications/progress") => {}
            // What comes at fixed intervals is no event.
            Some(_) => continue,
        }
        seen += 1;
        assert_eq!(message["params"]["progress"], progress(seen));
        if let Some((turn, _)) = cuts.next_if(|(_, place)| *place == seen) {
            let last = client.stream.last_id.clone();
            cut(&server, turn, &mut client.stream).await;
            client = Sse::open_at(&server.url("/sse"), None, last.as_deref()).await;
        }
    };
    assert_eq!(seen, EVENTS);
    assert_eq!(cuts.next(), None, "every cut was made");
    assert!(answer["result"].is_object(), "{answer}");
    println!("{EVENTS} events, {CUTS} cuts: each came once and in order");
}

const CHANGES: [(&str, &str); 2] = [
    ("test_trigger_tool_change", "notifications/tools/list_changed"),
    ("test_trigger_prompt_change", "notifications/prompts/list_changed"),
];

/// Two kinds of change in turn, each after the one before was told: what comes twice is seen, and
/// so is what does not come. A cut is made before a change, which waits for the client then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_comes_once_and_in_order() {
    let on = Deployment::three_on_redis();
    let server = on.with(&[("CONFORMANCE", "on")]);
    let client = Mcp::of(&server, "alice").await;
    let mut stream = Stream::of(client.get(None).await);
    let mut cuts = cuts().into_iter().enumerate().peekable();
    for number in 0..EVENTS {
        let (tool, told) = CHANGES[number % 2];
        let is_cut = cuts.next_if(|(_, place)| *place == number);
        if let Some((turn, _)) = is_cut {
            cut(&server, turn, &mut stream).await;
        }
        client.call(tool, json!({})).await.text();
        if is_cut.is_some() {
            stream = Stream::of(client.get(stream.last_id.as_deref()).await);
        }
        let message = loop {
            let message = stream.next().await.expect("the stream stays open");
            if message["method"].as_str().unwrap().ends_with("/list_changed") {
                break message;
            }
        };
        assert_eq!(message["method"], told, "change {number}");
    }
    assert_eq!(cuts.next(), None, "every cut was made");
    println!("{EVENTS} changes, {CUTS} cuts: each came once and in order");
}

/// As the tool reports it.
fn progress(step: usize) -> f64 {
    f64::from(u32::try_from(step).unwrap())
}
