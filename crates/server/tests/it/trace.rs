//! A trace joins the log lines of every instance that serves it, and is passed on.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Mcp, Server, Stream, call, soon};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn parent(trace: &str) -> String {
    format!("00-{trace}-{PARENT}-01")
}

fn whoami(meta: &Value) -> Value {
    let mut call = call(1, "whoami", &json!({}));
    call["params"]["_meta"] = meta.clone();
    call
}

async fn told(client: &Mcp, message: &Value, headers: &[(&str, &str)]) -> Value {
    let mut request = client
        .request(Method::POST)
        .header("accept", "application/json, text/event-stream")
        .json(message);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = Answer::of(soon(request.send()).await.unwrap()).await;
    answer.body["result"]["structuredContent"]["trace"].clone()
}

/// The spans of a trace in the log, by the lines of answered requests.
fn answered(server: &Server, trace: &str) -> Vec<Value> {
    let is_it = |line: &Value| line["event"] == "http.response" && line["trace_id"] == trace;
    server.log().into_iter().filter(is_it).collect()
}

on_every_deployment!(
    the_lines_of_a_trace_are_joined_whichever_instance_wrote_them,
    what_a_call_sends_belongs_to_its_trace,
    what_is_malformed_is_ignored,
);

async fn the_lines_of_a_trace_are_joined_whichever_instance_wrote_them(on: &Deployment) {
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let (mut spans, mut requests) = (BTreeSet::new(), 2 * server.instances.len());
    for number in 0..requests {
        let trace = if number % 2 == 0 {
            told(&client, &whoami(&json!({})), &[("traceparent", &parent(TRACE))]).await
        } else {
            let meta =
                json!({ "traceparent": parent(TRACE), "tracestate": "a=1", "baggage": "b=2" });
            let trace = told(&client, &whoami(&meta), &[("traceparent", &parent(OTHER))]).await;
            assert_eq!((&trace["tracestate"], &trace["baggage"]), (&json!("a=1"), &json!("b=2")));
            trace
        };
        let span = &trace["span"];
        assert_eq!((&span["traceId"], &span["parentId"]), (&json!(TRACE), &json!(PARENT)));
        assert_eq!(span["sampled"], true);
        spans.insert(span["spanId"].as_str().unwrap().to_owned());
    }
    assert_eq!(spans.len(), requests, "each request is a span of its own");
    // The line comes after the answer.
    loop {
        let seen = server.log.len();
        if answered(&server, TRACE).len() >= requests {
            break;
        }
        assert!(server.log.find_after(seen, |line| line["trace_id"] == TRACE).is_some());
    }
    let lines = answered(&server, TRACE);
    let written: BTreeSet<_> =
        lines.iter().map(|line| line["span_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(written, spans, "what it was called is what is in the log");
    assert!(lines.iter().all(|line| line["parent_id"] == PARENT));
    let instances: BTreeSet<_> =
        lines.iter().map(|line| line["instance"].as_str().unwrap()).collect();
    assert_eq!(instances.len(), server.instances.len());
    assert!(answered(&server, OTHER).is_empty(), "the message counts for more than the header");
    requests = server.log().iter().filter(|line| line["baggage"] != Value::Null).count();
    assert_eq!(requests, 0, "what a client lets travel is not logged");
}

async fn what_a_call_sends_belongs_to_its_trace(on: &Deployment) {
    let server = on.open();
    let mut client = Mcp::new(&server);
    client.initialize(json!({ "sampling": {}, "roots": {} })).await;
    let meta = json!({
        "traceparent": parent(TRACE), "tracestate": "a=1", "baggage": "b=2", "progressToken": 1
    });
    for (tool, arguments, method, answer) in [
        (
            "sampleLLM",
            json!({ "prompt": "hi" }),
            "sampling/createMessage",
            json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": "ho" } }),
        ),
        ("getRootsList", json!({}), "roots/list", json!({ "roots": [] })),
        (
            "longRunningOperation",
            json!({ "duration": 0.1, "steps": 1 }),
            "notifications/progress",
            Value::Null,
        ),
    ] {
        let mut call = call(2, tool, &arguments);
        call["params"]["_meta"] = meta.clone();
        let mut stream = Stream::of(client.send(&call).await);
        let sent = stream.until(method).await;
        let sent_meta = &sent["params"]["_meta"];
        let told = sent_meta["traceparent"].as_str().unwrap_or_else(|| panic!("{sent}"));
        assert!(told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-01"), "{told}");
        assert!(!told.contains(PARENT), "the call is the parent: {told}");
        assert_eq!(
            (&sent_meta["tracestate"], &sent_meta["baggage"]),
            (&json!("a=1"), &json!("b=2"))
        );
        if answer != Value::Null {
            client.post(&json!({ "jsonrpc": "2.0", "id": sent["id"], "result": answer })).await;
        }
        assert_eq!(stream.last().await["id"], 2);
    }
}

async fn what_is_malformed_is_ignored(on: &Deployment) {
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let upper = parent(&TRACE.to_uppercase());
    let zero = parent(&"0".repeat(32));
    for wrong in ["nonsense", "", &upper, &zero] {
        for message in [json!({}), json!({ "traceparent": wrong })] {
            let headers = [("traceparent", wrong), ("tracestate", "a=1")];
            assert_eq!(told(&client, &whoami(&message), &headers).await, Value::Null, "{wrong}");
        }
    }
    let typed = json!({ "traceparent": 7, "tracestate": [], "baggage": {} });
    assert_eq!(told(&client, &whoami(&typed), &[]).await, Value::Null);
    assert!(server.log().iter().all(|line| line["trace_id"] == Value::Null));
}

/// Each message of a batch may belong to a trace of its own.
#[tokio::test]
async fn the_messages_of_a_batch_have_their_own() {
    let server = Server::open();
    let mut client = Mcp::new(&server);
    let mut begin = crate::support::initialize(&json!({}));
    begin["params"]["protocolVersion"] = json!("2025-03-26");
    let answer = client.post(&begin).await;
    client.session = Some(answer.headers["mcp-session-id"].to_str().unwrap().to_owned());
    let mut calls = Vec::new();
    for (id, trace) in [(1, TRACE), (2, OTHER)] {
        let mut call = whoami(&json!({ "traceparent": parent(trace) }));
        call["id"] = json!(id);
        calls.push(call);
    }
    let answers = client.post(&json!(calls)).await.body;
    for answer in answers.as_array().unwrap() {
        let text = answer["result"]["content"][1]["text"].as_str().unwrap();
        let told: Value = serde_json::from_str(text).unwrap();
        let expected = if answer["id"] == 1 { TRACE } else { OTHER };
        assert_eq!(told["trace"]["span"]["traceId"], expected, "{told}");
    }
}
