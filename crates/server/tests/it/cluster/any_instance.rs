//! Every request of a client goes to another instance.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Mcp, Server, Stream, call, soon};

/// The same client at each of the instances.
fn everywhere(client: &Mcp, server: &Server) -> [Mcp; 3] {
    [0, 1, 2].map(|instance| client.at(server, instance))
}

fn notification(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

#[tokio::test]
async fn a_session_is_made_by_one_used_by_another_and_ended_by_a_third() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let clients = everywhere(&client, &server);
    for client in &clients {
        client.is_served().await;
    }
    assert_eq!(clients[2].delete().await.status, StatusCode::NO_CONTENT);
    for client in &clients {
        client.call("echo", json!({ "message": "hi" })).await.is_refused(404, -32001);
    }
    on.every_instance_answered();
}

/// Whoever was told that it is gone finds it gone, wherever and however soon.
#[tokio::test]
async fn a_session_that_was_ended_is_gone_everywhere_at_once() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    for round in 0..30 {
        let client = Mcp::anonymous(&server).await;
        let clients = everywhere(&client, &server);
        // All of them know it.
        for client in &clients {
            client.is_served().await;
        }
        assert_eq!(clients[round % 3].delete().await.status, StatusCode::NO_CONTENT);
        let ping = request("ping", &json!({}));
        let answers = futures::future::join_all(clients.iter().map(|client| client.post(&ping)));
        answers.await.iter().for_each(|answer| answer.is_refused(404, -32001));
    }
}

/// The question is asked on the stream of the call, and a GET stream makes no difference.
#[tokio::test]
async fn a_question_of_one_instance_is_answered_at_another() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let clients = everywhere(&client, &server);
    let elicited = json!({ "action": "accept", "content": { "name": "Ada", "check": true } });
    let roots = json!({ "roots": [{ "uri": "file:///home/ada", "name": "home" }] });
    for with_stream in [false, true] {
        let _stream = if with_stream { Some(Stream::of(clients[2].get(None).await)) } else { None };
        for (tool, arguments, method, result, says) in [
            ("sampleLLM", json!({ "prompt": "x" }), "sampling/createMessage", &sampled(), "real"),
            ("elicitInputs", json!({}), "elicitation/create", &elicited, "Ada"),
            ("getRootsList", json!({}), "roots/list", &roots, "file:///home/ada"),
        ] {
            for (asking, answering) in [(0, 1), (1, 2), (2, 0)] {
                let mut calling =
                    Stream::of(clients[asking].send(&call(5, tool, &arguments)).await);
                let asked = calling.until(method).await;
                let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
                let taken = clients[answering].post(&answer).await;
                assert_eq!(taken.status, StatusCode::ACCEPTED);
                let last = calling.last().await;
                let text = last["result"]["content"][0]["text"].as_str().unwrap();
                assert!(text.contains(says), "{tool}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_call_of_one_instance_is_cancelled_at_another() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let clients = everywhere(&client, &server);
    let long = json!({ "duration": 600, "steps": 1000 });
    let mut calling = Stream::of(clients[0].send(&call(7, "longRunningOperation", &long)).await);
    calling.until("notifications/progress").await;
    let cancel = notification("notifications/cancelled", &json!({ "requestId": 7 }));
    assert_eq!(clients[1].post(&cancel).await.status, StatusCode::ACCEPTED);
    while let Some(message) = calling.next().await {
        assert_eq!(message["method"], "notifications/progress", "a cancelled call has no answer");
    }
    server.logged("call.cancelled");
}

/// The cancellation may be read before the call that it is for.
#[tokio::test]
async fn a_cancellation_that_overtakes_its_call_is_heard() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let clients = everywhere(&client, &server);
    let cancel = notification("notifications/cancelled", &json!({ "requestId": 7 }));
    assert_eq!(clients[1].post(&cancel).await.status, StatusCode::ACCEPTED);
    let long = json!({ "duration": 600, "steps": 1 });
    let mut calling = Stream::of(clients[0].send(&call(7, "longRunningOperation", &long)).await);
    assert_eq!(calling.next().await, None);
}

#[tokio::test]
async fn a_call_is_resumed_at_another_instance_while_it_runs_and_after_it() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let clients = everywhere(&client, &server);
    let long = json!({ "duration": 1, "steps": 4 });
    let mut calling = Stream::of(clients[0].send(&call(3, "longRunningOperation", &long)).await);
    let first = calling.until("notifications/progress").await;
    assert_eq!(first["params"]["progress"], 1.0);
    let seen = calling.last_id.clone();
    drop(calling);
    for resuming in &clients[1..] {
        let mut rest = Stream::of(resuming.get(seen.as_deref()).await);
        for step in [2.0, 3.0, 4.0] {
            let progress = rest.until("notifications/progress").await;
            assert_eq!(progress["params"]["progress"], step);
        }
        let answer = rest.next().await.unwrap();
        assert!(answer["result"].is_object(), "{answer}");
        assert_eq!(rest.next().await, None);
    }
}

/// The level is the session's, wherever it was set.
#[tokio::test]
async fn a_level_set_at_one_instance_holds_for_calls_at_the_others() {
    let on = Deployment::three_on_redis();
    let server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let client = Mcp::anonymous(&server).await;
    let clients = everywhere(&client, &server);
    for (level, expected) in [("error", 0), ("debug", 3), ("emergency", 0), ("info", 3)] {
        for setting in 0..3 {
            let set = request("logging/setLevel", &json!({ "level": level }));
            assert_eq!(clients[setting].post(&set).await.status, StatusCode::OK);
            for calling in &clients {
                let logging = call(2, "test_tool_with_logging", &json!({}));
                let messages = calling.messages(&logging).await;
                let logged =
                    messages.iter().filter(|told| told["method"] == "notifications/message");
                assert_eq!(logged.count(), expected, "{level}: {messages:?}");
            }
        }
    }
}

/// Of revision 2026-07-28: no session, and every key that seals a state is everybody's.
#[tokio::test]
async fn a_request_state_of_one_instance_is_taken_by_another() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    let mut client = Mcp::of(&server, "alice").await;
    client.session = None;
    let clients = everywhere(&client, &server);
    for (asking, answering) in [(0, 1), (1, 2), (2, 0)] {
        let asked = sample(&clients[asking], &json!({})).await;
        assert_eq!(asked.body["result"]["resultType"], "input_required", "{asked:?}");
        let key = asked.body["result"]["inputRequests"].as_object().unwrap().keys().next().unwrap();
        let more = json!({
            "requestState": asked.body["result"]["requestState"],
            "inputResponses": { key: sampled() }
        });
        let answered = sample(&clients[answering], &more).await;
        assert_eq!(answered.text(), "LLM sampling result: real");
    }
}

/// Nothing but the request says who calls.
#[tokio::test]
async fn without_a_session_each_instance_knows_who_calls() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    let mut client = Mcp::of(&server, "alice").await;
    client.session = None;
    let mut instances = BTreeSet::new();
    for client in everywhere(&client, &server) {
        let mut answer = call_alone(&client, "whoami", &json!({ "arguments": {} })).await;
        let told = answer.body["result"]["structuredContent"].take();
        assert_eq!(told["caller"]["user"], "alice", "{told}");
        assert_eq!((&told["session"], &told["protocolVersion"]), (&json!(false), &json!(ALONE)));
        assert_eq!(told["transport"], "streamable-http");
        instances.insert(told["instance"].to_string());
    }
    assert_eq!(instances.len(), 3);
}

/// What a client is, it need not say.
#[tokio::test]
async fn without_a_session_a_client_that_does_not_say_what_it_is_is_not_named() {
    let server = Server::open();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": ALONE,
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let params = json!({ "arguments": {}, "_meta": meta });
    let answer = call_alone(&Mcp::new(&server), "whoami", &params).await;
    let told = &answer.body["result"]["structuredContent"];
    assert_eq!(told.get("client"), None, "{told}");
}

/// The revision without sessions.
const ALONE: &str = "2026-07-28";

async fn sample(client: &Mcp, more: &Value) -> Answer {
    let mut params = json!({ "arguments": { "prompt": "x" } });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call_alone(client, "sampleLLM", &params).await
}

/// A call of a tool in the revision without sessions, with these parameters.
async fn call_alone(client: &Mcp, tool: &str, params: &Value) -> Answer {
    let mut message = request(
        "tools/call",
        &json!({
            "name": tool,
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": ALONE,
                "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": { "sampling": {} }
            }
        }),
    );
    message["params"].as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    let request = client
        .request(Method::POST)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", ALONE)
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .json(&message);
    Answer::of(soon(request.send()).await.unwrap()).await
}

fn sampled() -> Value {
    json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": "real" } })
}
