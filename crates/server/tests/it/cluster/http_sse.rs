//! HTTP with SSE where the stream is at one instance and the messages go to others.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::steady;
use crate::support::{Deployment, Sse, call};

#[tokio::test]
async fn a_call_that_died_with_its_instance_is_answered_with_an_error() {
    let on = Deployment::three_on_redis();
    let mut server = on.open();
    let mut client = Sse::open_at(&server.url_of(0, "/sse"), None, None).await;
    client.initialize().await;
    client.send_to(&server, 1);
    let long = json!({ "duration": 600, "steps": 1000 });
    client.accepted(&call(4, "longRunningOperation", &long)).await;
    steady(&mut client.stream).await;
    server.instances[1].kill();
    let died = Instant::now();
    let told = loop {
        let message = client.stream.next().await.unwrap();
        if message["id"] == 4 {
            break message;
        }
    };
    assert_eq!(told["error"]["code"], -32603, "{told}");
    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
    client.send_to(&server, 2);
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await, "Echo: hi");
}

/// Its client comes back elsewhere with the same session, and is told what became of its calls.
#[tokio::test]
async fn a_session_outlives_the_instance_that_had_its_stream() {
    let on = Deployment::three_on_redis();
    let mut server = on.open();
    let mut client = Sse::open_at(&server.url_of(0, "/sse"), None, None).await;
    client.initialize().await;
    let long = json!({ "duration": 600, "steps": 1000 });
    client.send_to(&server, 0);
    client.accepted(&call(4, "longRunningOperation", &long)).await;
    steady(&mut client.stream).await;
    server.instances[0].kill();
    let died = Instant::now();
    let last = client.stream.last_id.clone();
    let mut client = Sse::open_at(&server.url_of(2, "/sse"), None, last.as_deref()).await;
    let told = loop {
        let message = client.stream.next().await.unwrap();
        if message["id"] == 4 {
            break message;
        }
    };
    assert_eq!(told["error"]["code"], -32603, "{told}");
    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
    client.send_to(&server, 1);
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await, "Echo: hi");
}

#[tokio::test]
async fn an_instance_that_goes_away_hands_its_clients_over() {
    let on = Deployment::three_on_redis();
    let mut server = on.open();
    let mut client = Sse::open_at(&server.url_of(0, "/sse"), None, None).await;
    client.initialize().await;
    client.send_to(&server, 1);
    let operation = json!({ "duration": 1, "steps": 4 });
    client.accepted(&call(5, "longRunningOperation", &operation)).await;
    client.stream.until("notifications/progress").await;
    server.instances[0].signal("-TERM");
    let mut answered = false;
    while let Some(message) = client.stream.next().await {
        answered |= message["id"] == 5;
    }
    assert!(answered, "it waited for the answer of another instance");
    assert!(server.instances[0].wait().success());
    let (last, endpoint) = (client.stream.last_id.clone(), client.endpoint.clone());
    let mut client = Sse::open_at(&server.url_of(2, "/sse"), None, last.as_deref()).await;
    assert_eq!(client.endpoint.query(), endpoint.query());
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await, "Echo: hi");
}
