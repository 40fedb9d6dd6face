//! The revisions that begin with `initialize`.

use serde_json::{Value, json};

use super::{begun, call, notification, request, text};
use crate::support::Piped;

#[test]
fn each_revision_is_agreed_on_and_known_to_handlers() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut server = begun(version, &json!({}));
        let told = server.ask(&call(1, "whoami", &json!({})));
        let told: Value =
            serde_json::from_str(told["result"]["content"][1]["text"].as_str().unwrap_or_default())
                .unwrap();
        assert_eq!(told["protocolVersion"], version);
        assert_eq!((&told["transport"], &told["session"]), (&json!("stdio"), &json!(true)));
        assert_eq!(told.get("caller"), None);
    }
    let mut server = Piped::start();
    let newest = server.initialize("1999-01-01", &json!({}));
    assert_eq!(newest["result"]["protocolVersion"], "2025-11-25");
    let again = server.initialize("2025-11-25", &json!({}));
    assert_eq!(again["error"]["code"], -32600, "there is one session: {again}");
}

#[test]
fn a_client_is_asked_while_the_call_runs() {
    let capabilities = json!({ "roots": {}, "sampling": {}, "elicitation": {} });
    let mut server = begun("2025-11-25", &capabilities);
    let answers = [
        ("getRootsList", json!({}), "roots/list", json!({ "roots": [{ "uri": "file:///a" }] })),
        (
            "sampleLLM",
            json!({ "prompt": "hi" }),
            "sampling/createMessage",
            json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": "ho" } }),
        ),
        ("elicitInputs", json!({}), "elicitation/create", json!({ "action": "decline" })),
    ];
    for (id, (tool, arguments, method, result)) in answers.into_iter().enumerate() {
        let id = i64::try_from(id).unwrap();
        server.send(&call(id, tool, &arguments));
        let question = server.until(|message| message["method"] == method);
        server.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }));
        let answer = server.until(|message| message["id"] == id && message.get("method").is_none());
        assert_ne!(answer["result"]["isError"], true, "{answer}");
    }
}

#[test]
fn a_cancelled_call_says_nothing_more() {
    let mut server = begun("2025-11-25", &json!({}));
    let mut long = call(1, "longRunningOperation", &json!({ "duration": 300, "steps": 1000 }));
    long["params"]["_meta"] = json!({ "progressToken": "p" });
    server.send(&long);
    let progress = server.next().unwrap();
    assert_eq!(progress["params"]["progressToken"], "p", "{progress}");
    server.send(&notification("notifications/cancelled", &json!({ "requestId": 1 })));
    server.send(&request(2, "ping", &json!({})));
    server.until(|message| message["id"] == 2);
    server.close();
    assert_eq!(server.next(), None);
}

#[test]
fn a_cancelled_call_does_not_answer_for_another() {
    let mut server = begun("2025-11-25", &json!({}));
    let long = call(1, "longRunningOperation", &json!({ "duration": 300, "steps": 1 }));
    let cancel = notification("notifications/cancelled", &json!({ "requestId": 1 }));
    let again = request(1, "ping", &json!({}));
    server.write(format!("{long}\n{cancel}\n{again}\n").as_bytes());
    let answer = server.next().unwrap();
    // It still runs, or has just ended.
    if answer["result"].is_null() {
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(null), &json!(-32600)));
    } else {
        assert_eq!((&answer["id"], &answer["result"]), (&json!(1), &json!({})), "{answer}");
    }
    server.close();
    assert_eq!(server.next(), None);
}

#[test]
fn what_a_client_sets_holds_for_its_session() {
    let mut server = Piped::with(&[("CONFORMANCE", "on")]);
    server.initialize("2025-11-25", &json!({}));
    server.ask(&request(1, "logging/setLevel", &json!({ "level": "emergency" })));
    server.send(&call(2, "test_tool_with_logging", &json!({})));
    let answer = server.until(|message| message["method"] != "notifications/stderr");
    assert_eq!(answer["id"], 2, "no message is grave enough: {answer}");

    let told = |tool: &str, method: &str, server: &mut Piped| {
        server.send(&call(3, tool, &json!({})));
        server.until(|message| message["method"] == method);
    };
    told("test_trigger_tool_change", "notifications/tools/list_changed", &mut server);
    told("test_trigger_prompt_change", "notifications/prompts/list_changed", &mut server);
}

#[test]
fn nothing_is_said_unasked_before_the_session_has_begun() {
    let mut server = Piped::with(&[("CONFORMANCE", "on")]);
    server.ask(&json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" }
        }
    }));
    server.send(&call(1, "test_trigger_tool_change", &json!({})));
    assert_eq!(server.next().unwrap()["id"], 1);
    server.send(&request(2, "ping", &json!({})));
    assert_eq!(server.next().unwrap()["id"], 2, "the change was not told");
}

#[test]
fn batches_are_for_the_revision_that_has_them() {
    let mut server = begun("2025-03-26", &json!({}));
    let batch = json!([
        request(1, "ping", &json!({})),
        call(2, "echo", &json!({ "message": "hi" })),
        notification("notifications/roots/list_changed", &json!({})),
        { "jsonrpc": "2.0", "id": 3 },
        request(4, "no/such", &json!({})),
    ]);
    server.send(&batch);
    let answers = server.next().unwrap();
    let mut answers = answers.as_array().unwrap().clone();
    answers.sort_by_key(|answer| answer["id"].as_i64());
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_i64()).collect();
    assert_eq!(ids, [Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!(text(&answers[1]), "Echo: hi");
    assert_eq!(
        (&answers[2]["error"]["code"], &answers[3]["error"]["code"]),
        (&json!(-32600), &json!(-32601))
    );

    // Only notifications: no answer at all.
    server.send(&json!([notification("notifications/roots/list_changed", &json!({}))]));
    server.write(b"[]\n");
    assert_eq!(server.next().unwrap()["error"]["code"], -32600);

    let mut server = begun("2025-06-18", &json!({}));
    server.send(&json!([request(1, "ping", &json!({}))]));
    let refused = server.next().unwrap();
    assert!(refused["error"]["message"].as_str().unwrap().contains("no batches"), "{refused}");
}

#[test]
fn a_call_becomes_a_task_whose_result_is_waited_for() {
    let mut server = Piped::with(&[("CONFORMANCE", "on")]);
    let hello = server.initialize("2025-11-25", &json!({ "elicitation": {} }));
    assert!(hello["result"]["capabilities"]["tasks"]["requests"]["tools"]["call"].is_object());
    let mut asked = call(1, "confirm_delete", &json!({ "filename": "a.txt" }));
    asked["params"]["task"] = json!({ "ttl": 60_000 });
    let task = server.ask(&asked)["result"]["task"].take();
    assert_eq!((&task["status"], &task["ttl"]), (&json!("working"), &json!(60_000)));
    let id = json!({ "taskId": task["taskId"] });
    server.send(&request(2, "tasks/result", &id));
    let question = server.until(|message| message["method"] == "elicitation/create");
    let related = "io.modelcontextprotocol/related-task";
    assert_eq!(question["params"]["_meta"][related], id);
    let yes = json!({ "action": "accept", "content": { "confirm": true } });
    server.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes }));
    let (mut result, mut ended) = (Value::Null, Value::Null);
    while result.is_null() || ended.is_null() {
        let message = server.until(|message| {
            message["id"] == 2 || message["method"] == "notifications/tasks/status"
        });
        if message["id"] == 2 {
            result = message;
        } else {
            ended = message;
        }
    }
    assert_eq!((text(&result), &result["result"]["_meta"][related]), ("a.txt was deleted", &id));
    assert_eq!(
        (&ended["params"]["taskId"], &ended["params"]["status"]),
        (&task["taskId"], &json!("completed"))
    );

    let mut asked = call(3, "simulateResearchQuery", &json!({ "topic": "bees" }));
    asked["params"]["task"] = json!({});
    asked["params"]["_meta"] = json!({ "progressToken": "p" });
    let task = server.ask(&asked)["result"]["task"]["taskId"].take();
    let progress = server.until(|message| message["method"] == "notifications/progress");
    assert_eq!(progress["params"]["_meta"][related]["taskId"], task, "{progress}");
}

#[test]
fn a_client_is_asked_by_a_task_of_its_own() {
    let capabilities = json!({
        "sampling": {}, "tasks": { "requests": { "sampling": { "createMessage": {} } } },
    });
    let mut server = begun("2025-11-25", &capabilities);
    server.send(&call(1, "triggerSamplingRequestAsync", &json!({ "prompt": "hi" })));
    let time = "2026-01-01T00:00:00Z";
    let task = |status: &str| {
        json!({ "taskId": "t", "status": status, "createdAt": time, "lastUpdatedAt": time,
            "ttl": null, "pollInterval": 50 })
    };
    let sampled = json!({
        "role": "assistant", "model": "m", "content": { "type": "text", "text": "ho" },
    });
    for (method, result) in [
        ("sampling/createMessage", json!({ "task": task("working") })),
        ("tasks/get", task("completed")),
        ("tasks/result", sampled),
    ] {
        let question = server.until(|message| message["method"] == method);
        server.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }));
    }
    let answer = server.until(|message| message["id"] == 1 && message.get("method").is_none());
    assert!(text(&answer).starts_with("LLM sampling result: ho"), "{answer}");
}
