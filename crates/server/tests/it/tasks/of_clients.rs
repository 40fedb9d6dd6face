//! Tasks that a client works on: what a tool asks of it, it takes as a task of its own.

use serde_json::{Value, json};

use super::shapes::fits;
use crate::support::{Deployment, Mcp, Server, Stream};

/// What a client of this kind answers, request by request.
struct Worker {
    client: Mcp,
    /// What its task is, each time it is asked.
    statuses: Vec<Value>,
    result: Value,
    /// What it was asked, in order.
    asked: Vec<Value>,
}

fn declares() -> Value {
    json!({
        "sampling": {}, "elicitation": {},
        "tasks": {
            "cancel": {},
            "requests": { "sampling": { "createMessage": {} }, "elicitation": { "create": {} } },
        },
    })
}

fn task(status: &Value) -> Value {
    let mut task = json!({
        "taskId": "the client's", "createdAt": "2026-01-01T00:00:00Z",
        "lastUpdatedAt": "2026-01-01T00:00:00Z", "ttl": null, "pollInterval": 50,
    });
    for (key, value) in status.as_object().unwrap() {
        task[key] = value.clone();
    }
    task
}

impl Worker {
    async fn of(server: &Server, statuses: &[Value], result: Value) -> Self {
        let mut client = Mcp::of(server, "ada").await;
        client.session = None;
        client.initialize(declares()).await;
        let statuses = statuses.iter().rev().cloned().collect();
        Self { client, statuses, result, asked: Vec::new() }
    }

    fn answer(&mut self, question: &Value) -> Value {
        self.asked.push(question.clone());
        match question["method"].as_str().unwrap() {
            "sampling/createMessage" | "elicitation/create" => {
                json!({ "task": task(&json!({ "status": "working" })) })
            }
            "tasks/get" => task(&self.statuses.pop().unwrap()),
            "tasks/result" => self.result.clone(),
            "tasks/cancel" => task(&json!({ "status": "cancelled" })),
            other => panic!("{other} was asked"),
        }
    }

    /// Calls a tool and answers what it asks. The result.
    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let request = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments },
        });
        let mut stream = Stream::of(self.client.send(&request).await);
        loop {
            let message = stream.next().await.expect("the call is answered");
            if message.get("method").is_none() {
                fits("CallToolResult", &message["result"]);
                return message["result"].clone();
            }
            let result = self.answer(&message);
            let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
            assert_eq!(self.client.send(&answer).await.status(), 202);
        }
    }

    fn methods(&self) -> Vec<&str> {
        self.asked.iter().map(|asked| asked["method"].as_str().unwrap()).collect()
    }
}

on_every_deployment!(
    a_completion_is_worked_out_as_a_task,
    a_form_is_filled_in_as_a_task,
    a_task_of_the_client_that_fails_is_told_of,
    a_call_that_is_cancelled_cancels_the_task_of_the_client,
    a_client_without_tasks_is_told_what_is_missing,
);

async fn a_completion_is_worked_out_as_a_task(on: &Deployment) {
    let server = on.start();
    let working = json!({ "status": "working" });
    let statuses = [working.clone(), working, json!({ "status": "completed" })];
    let result = json!({
        "role": "assistant", "content": { "type": "text", "text": "sampled" }, "model": "m",
    });
    let mut worker = Worker::of(&server, &statuses, result).await;
    let called = worker.call("triggerSamplingRequestAsync", json!({ "prompt": "hi" })).await;
    let text = called["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("LLM sampling result: sampled"), "{text}");
    assert!(text.contains("the client's") && text.contains("3 times"), "{text}");
    let polled = ["tasks/get"; 3];
    let expected = [&["sampling/createMessage"][..], &polled, &["tasks/result"]].concat();
    assert_eq!(worker.methods(), expected);
    fits("CreateMessageRequest", &worker.asked[0]);
    assert_eq!(worker.asked[0]["params"]["task"], json!({ "ttl": 60_000 }));
    assert_eq!(worker.asked[0]["params"]["temperature"], 0.7);
    fits("GetTaskRequest", &worker.asked[1]);
    fits("GetTaskPayloadRequest", &worker.asked[4]);
}

async fn a_form_is_filled_in_as_a_task(on: &Deployment) {
    let server = on.start();
    let answer = json!({ "action": "accept", "content": { "name": "Ada" } });
    // What its user must decide, it asks while the result is waited for.
    let mut worker = Worker::of(&server, &[json!({ "status": "input_required" })], answer).await;
    let called = worker.call("triggerElicitationRequestAsync", json!({})).await;
    let text = called["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Elicitation result: ") && text.contains("Ada"), "{text}");
    assert_eq!(worker.methods(), ["elicitation/create", "tasks/get", "tasks/result"]);
    fits("ElicitRequest", &worker.asked[0]);
    assert_eq!(worker.asked[0]["params"]["task"], json!({ "ttl": 600_000 }));
}

async fn a_task_of_the_client_that_fails_is_told_of(on: &Deployment) {
    let server = on.start();
    for (status, said) in [
        (json!({ "status": "failed", "statusMessage": "no model" }), "has failed: no model"),
        (json!({ "status": "cancelled" }), "was cancelled"),
        (json!({ "status": "dreaming" }), "it is no task"),
    ] {
        let mut worker = Worker::of(&server, &[status], json!({})).await;
        let called = worker.call("triggerSamplingRequestAsync", json!({ "prompt": "hi" })).await;
        assert_eq!(called["isError"], true);
        let text = called["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(said), "{text}");
    }
}

async fn a_call_that_is_cancelled_cancels_the_task_of_the_client(on: &Deployment) {
    let server = on.start();
    let mut worker = Worker::of(&server, &[json!({ "status": "working" })], json!({})).await;
    let request = json!({
        "jsonrpc": "2.0", "id": "call", "method": "tools/call",
        "params": { "name": "triggerSamplingRequestAsync", "arguments": { "prompt": "hi" } },
    });
    let mut stream = Stream::of(worker.client.send(&request).await);
    for method in ["sampling/createMessage", "tasks/get"] {
        let message = stream.until(method).await;
        let told = if method == "tasks/get" {
            let params = json!({ "requestId": "call" });
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params })
        } else {
            json!({ "jsonrpc": "2.0", "id": message["id"], "result": worker.answer(&message) })
        };
        assert_eq!(worker.client.send(&told).await.status(), 202);
    }
    stream.until("notifications/cancelled").await;
    let told = stream.until("tasks/cancel").await;
    fits("CancelTaskRequest", &told);
    assert_eq!(told["params"]["taskId"], "the client's");
}

async fn a_client_without_tasks_is_told_what_is_missing(on: &Deployment) {
    let server = on.with(&[("AUTH_MODE", "none")]);
    for (capabilities, said) in [
        (json!({}), r#"{"sampling":{}}"#),
        (json!({ "sampling": {} }), r#"{"tasks":{"requests":{"sampling":{"createMessage":{}}}}}"#),
        (
            json!({ "sampling": {}, "tasks": { "requests": { "elicitation": { "create": {} } } } }),
            r#"{"tasks":{"requests":{"sampling":{"createMessage":{}}}}}"#,
        ),
    ] {
        let mut client = Mcp::new(&server);
        client.initialize(capabilities).await;
        let called = client.call("triggerSamplingRequestAsync", json!({ "prompt": "hi" })).await;
        assert_eq!(called.body["result"]["isError"], true);
        assert!(called.text().contains(said), "{called:?}");
    }
}
