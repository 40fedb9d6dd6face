//! 2026-07-28: each request stands alone.

use serde_json::{Value, json};

use super::{alone, begun, call, notification, request, text};
use crate::support::Piped;

fn none() -> Value {
    json!({})
}

#[test]
fn requests_are_served_without_a_handshake() {
    let mut server = Piped::start();
    let found = server.ask(&alone(request(1, "server/discover", &none()), &none()));
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{found}");
    let echoed = server.ask(&alone(call(2, "echo", &json!({ "message": "hi" })), &none()));
    assert_eq!(text(&echoed), "Echo: hi");
    assert_eq!(echoed["result"]["resultType"], "complete");
    let told = server.ask(&alone(call(3, "whoami", &none()), &json!({ "roots": {} })));
    let told = &told["result"]["structuredContent"];
    assert_eq!((&told["protocolVersion"], &told["session"]), (&json!("2026-07-28"), &json!(false)));
    assert_eq!(told["capabilities"], json!({ "roots": {} }), "those of the request");
}

#[test]
fn wrong_requests_have_the_errors_of_this_revision() {
    let mut server = Piped::start();
    let mut code = |message: &Value| server.ask(message)["error"]["code"].clone();
    for method in ["ping", "initialize", "logging/setLevel", "resources/subscribe", "no/such"] {
        assert_eq!(code(&alone(request(1, method, &none()), &none())), -32601, "{method}");
    }
    assert_eq!(code(&alone(request(1, "tools/call", &none()), &none())), -32602);
    assert_eq!(code(&alone(request(1, "tools/list", &json!({ "cursor": 1 })), &none())), -32602);
    let mut unknown = alone(request(1, "tools/list", &none()), &none());
    unknown["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2030-01-01");
    assert_eq!(code(&unknown), -32022);
    let mut half = alone(request(1, "tools/list", &none()), &none());
    half["params"]["_meta"]
        .as_object_mut()
        .unwrap()
        .remove("io.modelcontextprotocol/clientCapabilities");
    assert_eq!(code(&half), -32602);
    assert_eq!(code(&request(1, "server/discover", &none())), -32602);
    assert_eq!(code(&alone(call(1, "sampleLLM", &json!({ "prompt": "hi" })), &none())), -32021);
    let listen = json!({ "notifications": { "taskIds": ["a"] } });
    assert_eq!(code(&alone(request(1, "subscriptions/listen", &listen), &none())), -32021);
}

#[test]
fn a_question_is_the_result_and_its_answer_the_next_request() {
    let mut server = Piped::start();
    let capabilities = json!({ "roots": {} });
    let asked = server.ask(&alone(call(1, "getRootsList", &none()), &capabilities));
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let questions = asked["result"]["inputRequests"].as_object().unwrap();
    let key = questions.keys().next().unwrap();
    let mut again = call(2, "getRootsList", &none());
    again["params"]["inputResponses"] = json!({ key: { "roots": [{ "uri": "file:///home" }] } });
    if let Some(state) = asked["result"].get("requestState") {
        again["params"]["requestState"] = state.clone();
    }
    let answer = server.ask(&alone(again, &capabilities));
    assert!(text(&answer).contains("file:///home"), "{answer}");
}

#[test]
fn a_listener_hears_of_changes_until_it_cancels() {
    let mut server = Piped::with(&[("CONFORMANCE", "on")]);
    let listen = json!({ "notifications": { "toolsListChanged": true } });
    server.send(&alone(request(7, "subscriptions/listen", &listen), &none()));
    let subscription = |message: &Value| {
        message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].clone()
    };
    let begun = server.next().unwrap();
    assert_eq!(begun["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(subscription(&begun), 7);
    server.send(&alone(call(8, "test_trigger_tool_change", &none()), &none()));
    let told = server.until(|message| message["method"] == "notifications/tools/list_changed");
    assert_eq!(subscription(&told), 7);

    server.send(&notification("notifications/cancelled", &json!({ "requestId": 7 })));
    server.send(&alone(call(9, "test_trigger_tool_change", &none()), &none()));
    server.until(|message| message["id"] == 9);
    let after = server.ask(&alone(call(7, "echo", &json!({ "message": "hi" })), &none()));
    assert_eq!(text(&after), "Echo: hi", "the id is free, and nobody listens");
}

#[test]
fn a_task_is_begun_answered_and_followed() {
    let mut server = Piped::start();
    let follows = json!({
        "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {} }
    });
    let arguments = json!({ "topic": "python", "ambiguous": true });
    let begun = server.ask(&alone(call(1, "simulateResearchQuery", &arguments), &follows));
    assert_eq!(begun["result"]["resultType"], "task", "{begun}");
    let task = json!({ "taskId": begun["result"]["taskId"] });
    let mut id = 1;
    let mut answered = false;
    loop {
        id += 1;
        let now = server.ask(&alone(request(id, "tasks/get", &task), &follows));
        let result = &now["result"];
        match result["status"].as_str().unwrap() {
            "working" => std::thread::yield_now(),
            "input_required" if !answered => {
                answered = true;
                let key = result["inputRequests"].as_object().unwrap().keys().next().unwrap();
                let question = &result["inputRequests"][key]["params"]["requestedSchema"];
                let (field, schema) =
                    question["properties"].as_object().unwrap().iter().next().unwrap();
                let choice = schema["oneOf"][0]["const"].clone();
                let mut update = task.clone();
                update["inputResponses"] =
                    json!({ key: { "action": "accept", "content": { field: choice } } });
                id += 1;
                server.ask(&alone(request(id, "tasks/update", &update), &follows));
            }
            "input_required" => {}
            "completed" => break,
            other => panic!("{other}: {now}"),
        }
    }
    assert!(answered, "its bell was heard");
}

#[test]
fn a_request_belongs_to_its_trace() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut server = Piped::start();
    let mut asked = alone(call(1, "whoami", &none()), &none());
    asked["params"]["_meta"]["traceparent"] = json!(format!("00-{trace}-00f067aa0ba902b7-00"));
    let told = server.ask(&asked);
    let span = &told["result"]["structuredContent"]["trace"]["span"];
    assert_eq!((&span["traceId"], &span["sampled"]), (&json!(trace), &json!(false)));
    let line = server.logged("stdio.response");
    assert_eq!((&line["trace_id"], &line["span_id"]), (&json!(trace), &span["spanId"]), "{line}");
    assert_eq!(line["method"], "tools/call");
}

#[test]
fn both_kinds_share_a_connection() {
    let mut server = begun("2025-06-18", &json!({ "roots": {} }));
    let modern = server.ask(&alone(call(1, "whoami", &none()), &none()));
    let told = &modern["result"]["structuredContent"];
    assert_eq!((&told["protocolVersion"], &told["session"]), (&json!("2026-07-28"), &json!(false)));
    assert_eq!(told["capabilities"], none(), "the session's are not the request's");
    let older = server.ask(&call(2, "whoami", &none()));
    assert_eq!(older["result"]["structuredContent"]["protocolVersion"], "2025-06-18");
    assert_eq!(older["result"].get("resultType"), None);
}
