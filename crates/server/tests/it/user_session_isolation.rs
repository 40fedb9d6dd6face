//! Two users: neither can use, read, resume or end what is the other's, by any method.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Mcp, Server, Stream};

on_every_deployment!(
    every_request_into_a_foreign_session_is_refused,
    a_foreign_stream_can_be_neither_read_nor_resumed,
    a_foreign_call_can_be_neither_answered_nor_cancelled,
    what_one_user_sets_the_other_does_not_see,
);

on_separate_deployments!(
    every_request_into_a_foreign_session_is_refused,
    a_foreign_stream_can_be_neither_read_nor_resumed,
    a_foreign_call_can_be_neither_answered_nor_cancelled,
    what_one_user_sets_the_other_does_not_see,
);

/// Bob, with the id of Alice's session.
async fn two(server: &Server) -> (Mcp, Mcp) {
    let alice = Mcp::of(server, "alice").await;
    let mut bob = Mcp::of(server, "bob").await;
    bob.session.clone_from(&alice.session);
    (alice, bob)
}

async fn every_request_into_a_foreign_session_is_refused(on: &Deployment) {
    let server = on.start();
    let (alice, bob) = two(&server).await;
    for (method, params) in [
        ("initialize", json!({})),
        ("ping", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({ "name": "echo", "arguments": { "message": "x" } })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "test://static/resource/1" })),
        ("resources/subscribe", json!({ "uri": "test://static/resource/1" })),
        ("resources/unsubscribe", json!({ "uri": "test://static/resource/1" })),
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "simple_prompt" })),
        ("logging/setLevel", json!({ "level": "error" })),
        ("completion/complete", json!({})),
        ("no/such/method", json!({})),
    ] {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        bob.post(&message).await.is_refused(404, -32001);
    }
    for message in [
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }),
        json!({ "jsonrpc": "2.0", "id": "AAAAAAAAAAAAAAAA-0", "result": {} }),
        json!({ "jsonrpc": "2.0", "id": "AAAAAAAAAAAAAAAA-0", "error": { "code": 1, "message": "" } }),
        json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }]),
    ] {
        bob.post(&message).await.is_refused(404, -32001);
    }
    alice.is_served().await;
}

async fn a_foreign_stream_can_be_neither_read_nor_resumed(on: &Deployment) {
    let server = on.start();
    let (alice, bob) = two(&server).await;
    let mut stream = Stream::of(alice.get(None).await);
    let operation = json!({ "duration": 1, "steps": 4 });
    let call = json!({
        "jsonrpc": "2.0", "id": 5, "method": "tools/call",
        "params": {
            "name": "longRunningOperation", "arguments": operation, "_meta": { "progressToken": 5 }
        }
    });
    let mut calling = Stream::of(alice.send(&call).await);
    calling.next().await.unwrap();
    Answer::of(bob.get(None).await).await.is_refused(404, -32001);
    let id = calling.last_id.clone();
    Answer::of(bob.get(id.as_deref()).await).await.is_refused(404, -32001);

    // With a session of his own, the id of Alice's event is worth nothing.
    let other = Mcp::of(&server, "bob").await;
    let mut refused = Stream::of(other.get(id.as_deref()).await);
    assert_eq!(refused.next().await.unwrap()["error"]["code"], -32603);

    let mut last = Value::Null;
    while let Some(message) = calling.next().await {
        last = message;
    }
    assert_eq!(last["id"], 5, "Alice's call went on");
    bob.delete().await.is_refused(404, -32001);
    let ping = alice.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).await;
    assert_eq!(ping.status, StatusCode::OK);
    drop(alice.delete().await);
    while stream.next().await.is_some() {}
}

async fn a_foreign_call_can_be_neither_answered_nor_cancelled(on: &Deployment) {
    let server = on.start();
    let alice = Mcp::of(&server, "alice").await;
    let bob = Mcp::of(&server, "bob").await;
    let call = json!({
        "jsonrpc": "2.0", "id": 9, "method": "tools/call",
        "params": { "name": "sampleLLM", "arguments": { "prompt": "secret" } }
    });
    let mut calling = Stream::of(alice.send(&call).await);
    let asked = calling.until("sampling/createMessage").await;
    let reply = |text: &str| {
        json!({
            "jsonrpc": "2.0", "id": asked["id"],
            "result": { "role": "assistant", "model": "m", "content": { "type": "text", "text": text } }
        })
    };
    assert_eq!(
        bob.post(&reply("forged")).await.status,
        StatusCode::ACCEPTED,
        "as a late answer is"
    );
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 }
    });
    assert_eq!(bob.post(&cancel).await.status, StatusCode::ACCEPTED);
    alice.post(&reply("real")).await;
    let mut last = Value::Null;
    while let Some(message) = calling.next().await {
        last = message;
    }
    assert_eq!(last["result"]["content"][0]["text"], "LLM sampling result: real");
}

async fn what_one_user_sets_the_other_does_not_see(on: &Deployment) {
    let server = on.start();
    let alice = Mcp::of(&server, "alice").await;
    let bob = Mcp::of(&server, "bob").await;
    let mut hers = Stream::of(alice.get(None).await);
    let mut his = Stream::of(bob.get(None).await);
    let level = |level: &str| {
        json!({
            "jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": { "level": level }
        })
    };
    let subscribe = json!({
        "jsonrpc": "2.0", "id": 2, "method": "resources/subscribe",
        "params": { "uri": "test://static/resource/1" }
    });
    alice.post(&level("emergency")).await;
    alice.post(&subscribe).await;
    bob.post(&level("debug")).await;
    // Every 10 s a subscribed resource is said to have changed, every 20 s comes a message.
    hers.until("notifications/resources/updated").await;
    loop {
        let message = his.next().await.unwrap();
        assert_ne!(message["method"], "notifications/resources/updated", "hers, not his");
        if message["method"] == "notifications/message" {
            break;
        }
    }
    // The next tick of hers comes after the message that he got.
    loop {
        let message = hers.next().await.unwrap();
        match message["method"].as_str() {
            Some("notifications/message") => assert_eq!(message["params"]["level"], "emergency"),
            Some("notifications/stderr") => break,
            _ => {}
        }
    }
}
