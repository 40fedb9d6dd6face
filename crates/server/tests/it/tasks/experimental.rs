//! The experimental tasks of 2025-11-25, as they are on the wire.

use std::{collections::BTreeSet, time::Duration};

use http::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Follower, shapes::fits};
use crate::support::{Answer, Deployment, Mcp, Server, Stream, soon};

const RELATED: &str = "io.modelcontextprotocol/related-task";

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

/// A client of 2025-11-25, in a session.
#[derive(Clone)]
struct Asker(Mcp);

impl Asker {
    async fn of(server: &Server, user: &str) -> Self {
        Self(Mcp::of(server, user).await)
    }

    async fn anonymous(server: &Server, capabilities: Value) -> Self {
        let mut client = Mcp::new(server);
        client.initialize(capabilities).await;
        Self(client)
    }

    fn at(&self, server: &Server, instance: usize) -> Self {
        Self(self.0.at(server, instance))
    }

    async fn ask(&self, method: &str, params: Value) -> Answer {
        self.0.post(&request(method, &params)).await
    }

    async fn call(&self, tool: &str, arguments: Value, task: Value) -> Answer {
        let params = json!({ "name": tool, "arguments": arguments, "task": task });
        self.ask("tools/call", params).await
    }

    /// The name of the task that a call has become.
    async fn begin(&self, tool: &str, arguments: Value) -> String {
        let begun = self.call(tool, arguments, json!({})).await;
        let result = &begun.body["result"];
        fits("CreateTaskResult", result);
        assert_eq!(result["task"]["status"], "working", "{result}");
        let id = result["task"]["taskId"].as_str().unwrap().to_owned();
        assert_eq!(result["_meta"][RELATED]["taskId"], id);
        assert!(result["_meta"]["io.modelcontextprotocol/model-immediate-response"].is_string());
        assert_eq!(result.get("resultType"), None, "{result}");
        id
    }

    async fn get(&self, task: &str) -> Answer {
        self.ask("tasks/get", json!({ "taskId": task })).await
    }

    async fn result(&self, task: &str) -> Answer {
        self.ask("tasks/result", json!({ "taskId": task })).await
    }

    async fn cancel(&self, task: &str) -> Answer {
        self.ask("tasks/cancel", json!({ "taskId": task })).await
    }

    /// The task, once it has this status.
    async fn until(&self, task: &str, status: &str) -> Value {
        let reached = async {
            loop {
                let answer = self.get(task).await;
                let result = &answer.body["result"];
                fits("GetTaskResult", result);
                if result["status"] == status {
                    return result.clone();
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        soon(reached).await
    }

    /// What is said while the result is waited for, as it comes.
    async fn waits(&self, task: &str) -> Stream {
        let params = json!({ "taskId": task });
        Stream::of(self.0.send(&request("tasks/result", &params)).await)
    }

    async fn answers(&self, question: &Value, result: Value) {
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
        assert_eq!(self.0.send(&answer).await.status(), 202);
    }
}

/// The text of a result that belongs to a task.
fn text<'a>(answer: &'a Value, task: &str) -> &'a str {
    fits("CallToolResult", &answer["result"]);
    fits("GetTaskPayloadResult", &answer["result"]);
    assert_eq!(answer["result"]["_meta"][RELATED]["taskId"], task, "{answer}");
    assert_eq!(answer["result"].get("resultType"), None, "{answer}");
    answer["result"]["content"][0]["text"].as_str().unwrap()
}

fn yes() -> Value {
    json!({ "action": "accept", "content": { "confirm": true } })
}

on_every_deployment!(
    they_are_announced_to_their_revision_alone,
    a_call_becomes_a_task_whose_result_is_waited_for,
    its_questions_come_while_the_result_is_waited_for,
    a_question_is_withdrawn_when_it_was_answered_elsewhere,
    a_task_is_cancelled_once,
    a_task_is_its_owners,
    how_a_call_ends_so_ends_its_task,
    what_cannot_be_a_task_is_refused,
    a_task_is_kept_for_as_long_as_was_asked_within_bounds,
    all_tasks_are_listed_in_pages,
    the_session_hears_how_its_task_gets_on,
    both_generations_see_the_same_tasks,
);

async fn they_are_announced_to_their_revision_alone(on: &Deployment) {
    let server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let offered = json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } });
    for (version, offers) in [
        ("2025-11-25", true),
        ("2025-06-18", false),
        ("2025-03-26", false),
        ("2024-11-05", false),
        // Answered with the newest that has sessions.
        ("1999-01-01", true),
    ] {
        let mut client = Mcp::new(&server);
        let hello = json!({
            "protocolVersion": version, "capabilities": { "tasks": { "list": {} } },
            "clientInfo": { "name": "test", "version": "1" },
        });
        let answer = client.post(&request("initialize", &hello)).await;
        let result = &answer.body["result"];
        fits("InitializeResult", result);
        let agreed = if offers { "2025-11-25" } else { version };
        assert_eq!(result["protocolVersion"], agreed);
        let expected = if offers { &offered } else { &Value::Null };
        assert_eq!(&result["capabilities"]["tasks"], expected, "{version}");
        client.session = Some(answer.headers["mcp-session-id"].to_str().unwrap().to_owned());

        let client = Asker(client);
        let mut supports = BTreeSet::new();
        let mut cursor = json!({});
        loop {
            let listed = client.ask("tools/list", cursor).await;
            fits("ListToolsResult", &listed.body["result"]);
            for tool in listed.body["result"]["tools"].as_array().unwrap() {
                let support = tool["execution"]["taskSupport"].as_str().unwrap_or_default();
                supports.insert(support.to_owned());
                match &*tool["name"].as_str().unwrap().to_owned() {
                    "echo" if offers => assert_eq!(support, "forbidden"),
                    "simulateResearchQuery" if offers => assert_eq!(support, "optional"),
                    "failing_job" if offers => assert_eq!(support, "required"),
                    _ => {}
                }
            }
            let Some(next) = listed.body["result"].get("nextCursor") else { break };
            cursor = json!({ "cursor": next });
        }
        let expected: &[&str] = if offers { &["forbidden", "optional", "required"] } else { &[""] };
        assert_eq!(supports.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        if offers {
            continue;
        }
        // Whoever was not told of them is served as ever.
        let called = client.call("slow_compute", json!({ "label": "x" }), json!({ "ttl": 1 }));
        assert_eq!(called.await.text(), "computed x");
        assert_eq!(client.0.call("failing_job", json!({})).await.text(), "the job failed");
        for method in ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"] {
            let answer = client.ask(method, json!({ "taskId": "x" })).await;
            assert_eq!(answer.body["error"]["code"], -32601, "{version} {method}");
        }
    }
    let stateless = Follower::anonymous(&server);
    for method in ["tasks/result", "tasks/list"] {
        let answer = stateless.request(method, "x", json!({ "taskId": "x" }), true).await;
        assert_eq!(answer.body["error"]["code"], -32601, "{answer:?}");
    }
}

async fn a_call_becomes_a_task_whose_result_is_waited_for(on: &Deployment) {
    let server = on.start();
    let alice = Asker::of(&server, "alice").await;
    let task = alice.begin("simulateResearchQuery", json!({ "topic": "bees" })).await;
    let working = alice.get(&task).await;
    fits("GetTaskResult", &working.body["result"]);
    assert_eq!(working.body["result"]["status"], "working");
    assert_eq!(working.body["result"]["ttl"], 600_000);
    assert!(working.body["result"]["pollInterval"].as_u64().unwrap() > 0);
    assert_eq!(working.body["result"].get("_meta"), None);
    let result = alice.result(&task).await;
    assert!(text(&result.body, &task).starts_with("# Research report: bees"), "{result:?}");
    let completed = alice.get(&task).await;
    assert_eq!(completed.body["result"]["status"], "completed");
    assert_eq!(alice.result(&task).await.body["result"], result.body["result"], "and again");
}

async fn its_questions_come_while_the_result_is_waited_for(on: &Deployment) {
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Asker::of(&server, "alice").await;
    let task = alice.begin("confirm_delete", json!({ "filename": "a.txt" })).await;
    let asking = alice.until(&task, "input_required").await;
    assert_eq!(asking["statusMessage"], "Delete a.txt?");
    let mut waits = alice.waits(&task).await;
    let question = waits.next().await.unwrap();
    fits("ElicitRequest", &question);
    assert_eq!(question["params"]["_meta"][RELATED]["taskId"], task, "{question}");
    assert_eq!(question["params"]["message"], "Delete a.txt?");
    alice.answers(&question, yes()).await;
    assert_eq!(text(&waits.last().await, &task), "a.txt was deleted");
    assert_eq!(alice.get(&task).await.body["result"]["status"], "completed");

    // Two at once, the second answered with an error, which is the tool's to tell.
    let task = alice.begin("multi_input", json!({})).await;
    let mut waits = alice.waits(&task).await;
    let first = waits.until("elicitation/create").await;
    let second = waits.until("elicitation/create").await;
    assert_ne!(first["id"], second["id"]);
    alice.answers(&first, json!({ "action": "accept", "content": { "name": "Ada" } })).await;
    let error = json!({ "code": -1, "message": "not now" });
    let refusal = json!({ "jsonrpc": "2.0", "id": second["id"], "error": error });
    assert_eq!(alice.0.send(&refusal).await.status(), 202);
    let told = waits.last().await;
    assert_eq!(told["result"]["isError"], true);
    assert_eq!(text(&told, &task), "The client answered elicitation/create with error -1: not now");
    assert_eq!(alice.get(&task).await.body["result"]["status"], "failed");
}

async fn a_question_is_withdrawn_when_it_was_answered_elsewhere(on: &Deployment) {
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Asker::of(&server, "alice").await;
    let task = alice.begin("confirm_delete", json!({ "filename": "a.txt" })).await;
    let (mut here, mut there) = (alice.waits(&task).await, alice.waits(&task).await);
    let first = here.until("elicitation/create").await;
    let second = there.until("elicitation/create").await;
    assert_ne!(first["id"], second["id"]);
    alice.answers(&second, yes()).await;
    let withdrawn = here.until("notifications/cancelled").await;
    assert_eq!(withdrawn["params"]["requestId"], first["id"]);
    for mut stream in [here, there] {
        assert_eq!(text(&stream.last().await, &task), "a.txt was deleted");
    }
}

async fn a_task_is_cancelled_once(on: &Deployment) {
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Asker::of(&server, "alice").await;
    let task = alice.begin("slow_compute", json!({ "seconds": 50 })).await;
    let mut waits = alice.waits(&task).await;
    let cancelled = alice.cancel(&task).await;
    fits("CancelTaskResult", &cancelled.body["result"]);
    assert_eq!(cancelled.body["result"]["status"], "cancelled");
    let again = alice.cancel(&task).await;
    assert_eq!(again.body["error"]["code"], -32602, "{again:?}");
    assert!(again.body["error"]["message"].as_str().unwrap().contains("'cancelled'"), "{again:?}");
    let told = waits.last().await;
    assert_eq!(
        (text(&told, &task), &told["result"]["isError"]),
        ("the call was cancelled", &json!(true))
    );
    assert_eq!(alice.get(&task).await.body["result"]["status"], "cancelled");

    let done = alice.begin("slow_compute", json!({})).await;
    alice.result(&done).await;
    let late = alice.cancel(&done).await;
    assert_eq!(late.body["error"]["code"], -32602, "{late:?}");
}

async fn a_task_is_its_owners(on: &Deployment) {
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Asker::of(&server, "alice").await;
    let mallory = Asker::of(&server, "mallory").await;
    let task = alice.begin("confirm_delete", json!({ "filename": "a.txt" })).await;
    alice.until(&task, "input_required").await;
    let unknown = mallory.get("AAAAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(unknown.body["error"]["code"], -32602, "{unknown:?}");
    for answer in [
        mallory.get(&task).await,
        mallory.result(&task).await,
        mallory.cancel(&task).await,
        alice.get("no task at all").await,
    ] {
        assert_eq!(answer.body["error"], unknown.body["error"], "nobody learns that it is there");
    }
    let theirs = mallory.ask("tasks/list", json!({})).await;
    assert_eq!(theirs.body["result"], json!({ "tasks": [] }));
    assert_eq!(alice.get(&task).await.body["result"]["status"], "input_required");
}

async fn how_a_call_ends_so_ends_its_task(on: &Deployment) {
    let server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let client = Asker::anonymous(&server, json!({})).await;
    let task = client.begin("failing_job", json!({})).await;
    assert_eq!(client.until(&task, "failed").await["statusMessage"], "the job failed");
    let result = client.result(&task).await;
    assert_eq!(text(&result.body, &task), "the job failed");
    assert_eq!(result.body["result"]["isError"], true);

    let task = client.begin("protocol_error_job", json!({})).await;
    assert_eq!(client.until(&task, "failed").await["statusMessage"], "the job broke down");
    let error = json!({ "code": -32603, "message": "the job broke down" });
    assert_eq!(client.result(&task).await.body["error"], error);

    // What a call without a task would be told is the result of the task.
    let task = client.begin("slow_compute", json!({ "seconds": "x" })).await;
    client.until(&task, "failed").await;
    let result = client.result(&task).await;
    assert!(text(&result.body, &task).starts_with("Invalid arguments"), "{result:?}");
    let task = client.begin("confirm_delete", json!({ "filename": "a.txt" })).await;
    let result = client.result(&task).await;
    assert!(text(&result.body, &task).contains("cannot be asked elicitation/create"), "{result:?}");
}

async fn what_cannot_be_a_task_is_refused(on: &Deployment) {
    let server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let client = Asker::anonymous(&server, json!({})).await;
    for (tool, task, code, said) in [
        ("echo", json!({}), -32601, "echo does not run as a task"),
        ("nothing", json!({}), -32602, "Unknown tool: nothing"),
        ("slow_compute", json!({ "ttl": -1 }), -32602, "-1"),
        ("slow_compute", json!({ "ttl": "x" }), -32602, "string"),
        ("slow_compute", json!(5), -32602, "5"),
    ] {
        let answer = client.call(tool, json!({ "message": "hi" }), task.clone()).await;
        let error = &answer.body["error"];
        assert_eq!(error["code"], code, "{tool} {task}: {error}");
        assert!(error["message"].as_str().unwrap().contains(said), "{tool} {task}: {error}");
    }
    let plain = client.0.call("failing_job", json!({})).await;
    assert_eq!(plain.body["error"]["code"], -32601, "{plain:?}");
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        for params in [json!({}), json!({ "taskId": 5 })] {
            let answer = client.ask(method, params).await;
            assert_eq!(answer.body["error"]["code"], -32602, "{answer:?}");
            let said = answer.body["error"]["message"].as_str().unwrap();
            assert!(said.contains("taskId") || said.contains("string"), "{said}");
        }
    }
    let update = client.ask("tasks/update", json!({ "taskId": "x", "inputResponses": {} })).await;
    assert_eq!(update.body["error"]["code"], -32601, "that is the other generation's: {update:?}");
}

async fn a_task_is_kept_for_as_long_as_was_asked_within_bounds(on: &Deployment) {
    let server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let client = Asker::anonymous(&server, json!({})).await;
    for (asked, kept) in [(60_000_u64, 60_000), (86_400_000, 600_000), (0, 1_000)] {
        let begun = client.call("slow_compute", json!({}), json!({ "ttl": asked })).await;
        let task = &begun.body["result"]["task"];
        assert_eq!(task["ttl"], kept, "{begun:?}");
        let id = task["taskId"].as_str().unwrap();
        if kept == 1_000 {
            let gone = async {
                while client.get(id).await.body.get("error").is_none() {
                    sleep(Duration::from_millis(100)).await;
                }
            };
            soon(gone).await;
            let answer = client.result(id).await;
            assert_eq!(answer.body["error"]["code"], -32602, "{answer:?}");
        } else {
            assert_eq!(client.get(id).await.body["result"]["ttl"], kept);
        }
    }
}

async fn all_tasks_are_listed_in_pages(on: &Deployment) {
    let server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let client = Asker::anonymous(&server, json!({})).await;
    let mut begun = BTreeSet::new();
    for _ in 0..12 {
        begun.insert(client.begin("slow_compute", json!({})).await);
    }
    let (mut listed, mut sizes, mut params) = (BTreeSet::new(), Vec::new(), json!({}));
    loop {
        let page = client.ask("tasks/list", params).await;
        fits("ListTasksResult", &page.body["result"]);
        let tasks = page.body["result"]["tasks"].as_array().unwrap();
        sizes.push(tasks.len());
        listed.extend(tasks.iter().map(|task| task["taskId"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["result"].get("nextCursor") else { break };
        params = json!({ "cursor": next });
    }
    assert_eq!((listed, sizes), (begun, vec![10, 2]));
    for cursor in
        [json!(""), json!("x"), json!("1.x"), json!("+1.AAAAAAAAAAAAAAAAAAAAAAAA"), json!(5)]
    {
        let answer = client.ask("tasks/list", json!({ "cursor": cursor })).await;
        assert_eq!(answer.body["error"]["code"], -32602, "{cursor}: {answer:?}");
    }
}

async fn the_session_hears_how_its_task_gets_on(on: &Deployment) {
    let server = on.start();
    let alice = Asker::of(&server, "alice").await;
    let mut stream = Stream::of(alice.0.get(None).await);
    let params = json!({
        "name": "simulateResearchQuery", "arguments": { "topic": "bees" },
        "task": {}, "_meta": { "progressToken": "mine" },
    });
    let begun = alice.ask("tools/call", params).await;
    let task = begun.body["result"]["task"]["taskId"].as_str().unwrap();
    let progress = stream.until("notifications/progress").await;
    fits("ProgressNotification", &progress);
    assert_eq!(progress["params"]["progressToken"], "mine");
    assert_eq!(progress["params"]["_meta"][RELATED]["taskId"], task);
    let said = alice.get(task).await.body["result"]["statusMessage"].take();
    assert!(said.as_str().unwrap().ends_with("..."), "{said}");
    let ended = stream.until("notifications/tasks/status").await;
    fits("TaskStatusNotification", &ended);
    assert_eq!(
        (&ended["params"]["taskId"], &ended["params"]["status"]),
        (&json!(task), &json!("completed"))
    );
    assert_eq!(ended["params"].get("_meta"), None);
}

async fn both_generations_see_the_same_tasks(on: &Deployment) {
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Asker::of(&server, "alice").await;
    let mut follower = Follower(alice.0.clone());
    follower.0.session = None;
    let task = follower.begin("confirm_delete", json!({ "filename": "a.txt" })).await;
    let mut waits = alice.waits(&task).await;
    let question = waits.until("elicitation/create").await;
    alice.answers(&question, yes()).await;
    assert_eq!(text(&waits.last().await, &task), "a.txt was deleted");

    let task = alice.begin("confirm_delete", json!({ "filename": "b.txt" })).await;
    follower.until(&task, "input_required").await;
    follower.update(&task, json!({ "confirm": yes() })).await;
    assert_eq!(text(&alice.result(&task).await.body, &task), "b.txt was deleted");
    let completed = follower.until(&task, "completed").await;
    assert_eq!(completed["result"]["content"][0]["text"], "b.txt was deleted");
}

/// Whoever waits for the result at another instance is told when the one that works on it is
/// killed.
#[tokio::test]
async fn a_result_that_cannot_come_any_more_is_an_error() {
    let on = Deployment::three_on_redis();
    let mut server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Asker::of(&server, "alice").await;
    let task = alice.at(&server, 0).begin("slow_compute", json!({ "seconds": 60 })).await;
    let mut waits = alice.at(&server, 1).waits(&task).await;
    server.instances[0].kill();
    let told = waits.last().await;
    assert_eq!(told["error"]["code"], -32603, "{told}");
    assert!(told["error"]["message"].as_str().unwrap().contains("run it again"), "{told}");
    let failed = alice.at(&server, 2).get(&task).await;
    assert_eq!(failed.body["result"]["status"], "failed");
    assert_eq!(failed.body["result"]["statusMessage"], told["error"]["message"]);
}

/// A client that is cut off while it waits comes back for the question, and for the result.
#[tokio::test]
async fn whoever_waits_for_a_result_can_come_back_to_another_instance() {
    let on = Deployment::three_on_redis();
    let server = on.with(&[("CONFORMANCE", "on")]);
    let alice = Asker::of(&server, "alice").await;
    let task = alice.at(&server, 0).begin("confirm_delete", json!({ "filename": "a.txt" })).await;
    let mut waits = alice.at(&server, 1).waits(&task).await;
    let question = waits.until("elicitation/create").await;
    let last = waits.last_id.clone().unwrap();
    drop(waits);
    alice.at(&server, 2).answers(&question, yes()).await;
    let mut rest = Stream::of(alice.at(&server, 2).0.get(Some(&last)).await);
    assert_eq!(text(&rest.last().await, &task), "a.txt was deleted");
    let ended = alice.0.request(Method::DELETE).send().await.unwrap();
    assert_eq!(ended.status(), 204);
}
