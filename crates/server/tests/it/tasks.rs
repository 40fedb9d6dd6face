//! Tasks: begun by a call, and asked about wherever a request lands.

mod experimental;
mod of_clients;
mod shapes;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Answer, Deployment, Mcp, Server, soon};

const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// A client of 2026-07-28 that follows tasks.
struct Follower(Mcp);

impl Follower {
    async fn of(server: &Server, user: &str) -> Self {
        let mut client = Mcp::of(server, user).await;
        client.session = None;
        Self(client)
    }

    fn anonymous(server: &Server) -> Self {
        Self(Mcp::new(server))
    }

    fn at(&self, server: &Server, instance: usize) -> Self {
        Self(self.0.at(server, instance))
    }

    async fn request(&self, method: &str, name: &str, params: Value, extension: bool) -> Answer {
        let mut capabilities = json!({ "elicitation": {} });
        if extension {
            capabilities["extensions"] = json!({ EXTENSION: {} });
        }
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        });
        let request = self
            .0
            .request(Method::POST)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .header("mcp-name", name)
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }));
        Answer::of(soon(request.send()).await.unwrap()).await
    }

    async fn call(&self, tool: &str, arguments: Value) -> Answer {
        let params = json!({ "name": tool, "arguments": arguments });
        self.request("tools/call", tool, params, true).await
    }

    /// The name of the task that a call has become.
    async fn begin(&self, tool: &str, arguments: Value) -> String {
        let begun = self.call(tool, arguments).await;
        let result = &begun.body["result"];
        assert_eq!((&result["resultType"], &result["status"]), (&json!("task"), &json!("working")));
        for absent in ["result", "error", "inputRequests", "requestState", "content"] {
            assert_eq!(result.get(absent), None, "{result}");
        }
        result["taskId"].as_str().unwrap().to_owned()
    }

    async fn get(&self, task: &str) -> Answer {
        self.request("tasks/get", task, json!({ "taskId": task }), true).await
    }

    async fn update(&self, task: &str, responses: Value) -> Answer {
        let params = json!({ "taskId": task, "inputResponses": responses });
        self.request("tasks/update", task, params, true).await
    }

    async fn cancel(&self, task: &str) -> Answer {
        self.request("tasks/cancel", task, json!({ "taskId": task }), true).await
    }

    /// The task, once it has this status.
    async fn until(&self, task: &str, status: &str) -> Value {
        let reached = async {
            loop {
                let answer = self.get(task).await;
                let result = &answer.body["result"];
                assert_eq!(result["resultType"], "complete", "{answer:?}");
                if result["status"] == status {
                    return result.clone();
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        soon(reached).await
    }
}

fn acknowledged(answer: &Answer) {
    assert_eq!(answer.body["result"], json!({ "resultType": "complete" }), "{answer:?}");
}

fn confirmed() -> Value {
    json!({ "confirm": { "action": "accept", "content": { "confirm": true } } })
}

on_every_deployment!(
    a_call_becomes_a_task_that_is_followed_to_its_result,
    a_task_asks_and_is_answered,
    a_task_is_cancelled,
    a_task_is_its_owners,
    who_does_not_follow_tasks_gets_none,
    who_does_not_follow_tasks_cannot_listen_to_them,
);

async fn who_does_not_follow_tasks_cannot_listen_to_them(on: &Deployment) {
    let server = on.start();
    let alice = Follower::of(&server, "alice").await;
    let listen = |ids: Value| json!({ "notifications": { "taskIds": ids } });
    let refused = alice.request("subscriptions/listen", "", listen(json!(["a"])), false).await;
    refused.is_refused(400, -32021);
    let needed = &refused.body["error"]["data"]["requiredCapabilities"];
    assert_eq!(needed["extensions"][EXTENSION], json!({}), "{needed}");
    alice.request("subscriptions/listen", "", listen(json!(7)), true).await.is_refused(200, -32602);
}

async fn a_call_becomes_a_task_that_is_followed_to_its_result(on: &Deployment) {
    let server = on.start();
    let alice = Follower::of(&server, "alice").await;
    let task = alice.begin("simulateResearchQuery", json!({ "topic": "bees" })).await;
    let working = alice.get(&task).await;
    assert_eq!(working.body["result"]["status"], "working");
    assert_eq!(working.body["result"]["ttlMs"], 600_000);
    assert!(working.body["result"]["pollIntervalMs"].as_u64().unwrap() > 0);
    let completed = alice.until(&task, "completed").await;
    let report = completed["result"]["content"][0]["text"].as_str().unwrap();
    assert!(report.starts_with("# Research report: bees"), "{report}");
}

async fn a_task_asks_and_is_answered(on: &Deployment) {
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Follower::of(&server, "alice").await;
    let task = alice.begin("confirm_delete", json!({ "filename": "a.txt" })).await;
    let asking = alice.until(&task, "input_required").await;
    assert_eq!(asking["inputRequests"]["confirm"]["method"], "elicitation/create");
    acknowledged(&alice.update(&task, json!({ "unasked": {} })).await);
    assert_eq!(alice.get(&task).await.body["result"]["status"], "input_required");
    acknowledged(&alice.update(&task, confirmed()).await);
    let completed = alice.until(&task, "completed").await;
    assert_eq!(completed["result"]["content"][0]["text"], "a.txt was deleted");
    acknowledged(&alice.update(&task, confirmed()).await);
}

async fn a_task_is_cancelled(on: &Deployment) {
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Follower::of(&server, "alice").await;
    let task = alice.begin("slow_compute", json!({ "seconds": 50 })).await;
    for _ in 0..2 {
        acknowledged(&alice.cancel(&task).await);
        let cancelled = alice.get(&task).await;
        assert_eq!(cancelled.body["result"]["status"], "cancelled");
    }
}

async fn a_task_is_its_owners(on: &Deployment) {
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Follower::of(&server, "alice").await;
    let mallory = Follower::of(&server, "mallory").await;
    let task = alice.begin("confirm_delete", json!({ "filename": "a.txt" })).await;
    alice.until(&task, "input_required").await;
    let stranger = mallory.get("AAAAAAAAAAAAAAAAAAAAAAAA").await;
    for answer in [
        mallory.get(&task).await,
        mallory.update(&task, confirmed()).await,
        mallory.cancel(&task).await,
        alice.get("no task at all").await,
    ] {
        assert_eq!(answer.body["error"]["code"], -32602, "{answer:?}");
        assert_eq!(answer.body["error"], stranger.body["error"], "nobody learns that it is there");
    }
    assert_eq!(alice.get(&task).await.body["result"]["status"], "input_required");
}

async fn who_does_not_follow_tasks_gets_none(on: &Deployment) {
    let server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let client = Follower::anonymous(&server);
    let params = json!({ "name": "slow_compute", "arguments": { "label": "x" } });
    let plain = client.request("tools/call", "slow_compute", params, false).await;
    assert_eq!(plain.text(), "computed x");
    let params = json!({ "name": "failing_job", "arguments": {} });
    let refused = client.request("tools/call", "failing_job", params, false).await;
    refused.is_refused(400, -32021);
    assert!(
        refused.body["error"]["data"]["requiredCapabilities"]["extensions"][EXTENSION].is_object()
    );
    let task = client.begin("slow_compute", json!({ "seconds": 50 })).await;
    for method in ["tasks/get", "tasks/cancel"] {
        let asked = client.request(method, &task, json!({ "taskId": task }), false).await;
        asked.is_refused(400, -32021);
    }
    // In a session nothing becomes a task that is not asked to, whatever its client declares.
    let mut stateful = Mcp::new(&server);
    stateful.initialize(json!({ "extensions": { EXTENSION: {} } })).await;
    let answer = stateful.call("slow_compute", json!({ "label": "y" })).await;
    assert_eq!(answer.text(), "computed y");
}

/// The instance that works on a task is killed: whoever is asked then knows that it has failed.
#[tokio::test]
async fn a_task_fails_when_its_instance_is_killed() {
    let on = Deployment::three_on_redis();
    let mut server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Follower::of(&server, "alice").await;
    let arguments = json!({ "seconds": 60 });
    let task = alice.at(&server, 0).begin("slow_compute", arguments).await;
    assert_eq!(alice.at(&server, 1).get(&task).await.body["result"]["status"], "working");
    server.instances[0].kill();
    let failed = alice.at(&server, 2).until(&task, "failed").await;
    assert_eq!(failed["error"]["code"], -32603);
    assert_eq!(failed["statusMessage"], failed["error"]["message"]);
    assert_eq!(alice.at(&server, 1).get(&task).await.body["result"]["status"], "failed");
}

/// An instance that goes away lets a task finish that has the time.
#[tokio::test]
async fn a_task_finishes_before_its_instance_goes_away() {
    let on = Deployment::three_on_redis();
    let mut server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Follower::of(&server, "alice").await;
    let task = alice.at(&server, 0).begin("slow_compute", json!({ "seconds": 1 })).await;
    server.instances[0].signal("-TERM");
    assert!(server.instances[0].wait().success());
    let completed = alice.at(&server, 1).get(&task).await;
    assert_eq!(completed.body["result"]["status"], "completed", "{completed:?}");
}
