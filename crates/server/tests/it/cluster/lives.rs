//! How long a session lives, and that nothing of it outlives it.

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;
use serde_json::json;

use crate::support::{Deployment, Mcp, Stream, call};

/// Whatever belongs to a session lives as long as it does, wherever it is used.
#[tokio::test]
async fn a_session_in_use_keeps_everything_it_has() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    for round in 0..4 {
        // Of its 300 s.
        on.age(Duration::from_secs(200));
        client.at(&server, round % 3).is_served().await;
    }
    let asking = call(1, "sampleLLM", &json!({ "prompt": "x" }));
    let mut sampling = Stream::of(client.send(&asking).await);
    sampling.until("sampling/createMessage").await;
}

/// Not the request that began it, but its end begins the time.
#[tokio::test]
async fn a_running_call_holds_its_session() {
    let on = Deployment::three_on_redis();
    let server = on.with(&[("AUTH_MODE", "none"), ("SESSION_TTL", "1s")]);
    let client = Mcp::anonymous(&server).await;
    let operation = json!({ "duration": 4, "steps": 4 });
    let done = client.at(&server, 0).call("longRunningOperation", operation).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    client.at(&server, 1).is_served().await;
}

#[tokio::test]
async fn a_session_that_nobody_uses_is_gone_and_leaves_nothing() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let operation = json!({ "duration": 0.2, "steps": 4 });
    client.call("longRunningOperation", operation).await.text();
    drop(Stream::of(client.get(None).await));
    on.age(Duration::from_secs(600));
    for instance in 0..3 {
        let gone = client.at(&server, instance).call("echo", json!({ "message": "hi" })).await;
        gone.is_refused(404, -32001);
    }
    on.until_redis_cli(&["KEYS", "*session:*"], str::is_empty).await;
}

/// Calls that report all the time write after their session was ended, and nothing comes back.
#[tokio::test]
async fn no_late_write_brings_back_a_session_that_was_ended() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    for _ in 0..10 {
        let client = Mcp::anonymous(&server).await;
        let busy = json!({ "duration": 3, "steps": 1000 });
        let mut calls = Vec::new();
        for number in 0..6 {
            let at = client.at(&server, number % 3);
            let message = call(number as u64, "longRunningOperation", &busy);
            let mut calling = Stream::of(at.send(&message).await);
            calling.until("notifications/progress").await;
            calls.push(calling);
        }
        assert_eq!(client.delete().await.status, StatusCode::NO_CONTENT);
        join_all(calls.iter_mut().map(async |calling| while calling.next().await.is_some() {}))
            .await;
        assert_eq!(on.redis_cli(&["KEYS", "*session:*"]), "");
    }
}
