//! Asking the client while the call runs: the stateful revisions, and what differs on 2026-07-28.

use std::sync::Arc;

use mcp_everything_features::Everything;
use rmcp::model::{ElicitResult, ProtocolVersion};
use serde_json::{Value, json};

use crate::support::{Answering, REVISIONS, Raw, all, call, everything, texts};

fn elicited(answer: Value) -> ElicitResult {
    serde_json::from_value(answer).unwrap()
}

#[tokio::test]
async fn sampling_is_asked_and_answered_on_all_revisions() {
    for version in REVISIONS {
        let answering = Answering::new(version.clone(), all());
        let asked = Arc::clone(&answering.asked);
        let client = answering.connect(&everything()).await;
        let result =
            call(&client, "sampleLLM", json!({ "prompt": "Capital?", "maxTokens": 7 })).await;
        assert_eq!(texts(&result), ["LLM sampling result: Paris."], "{version}");
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        assert_eq!(asked.len(), 1, "{version}");
        let request = &asked[0]["sampling"];
        let text = "Resource sampleLLM context: Capital?";
        assert_eq!(request["messages"][0]["content"], json!({ "type": "text", "text": text }));
        assert_eq!(request["messages"][0]["role"], "user");
        assert_eq!(request["systemPrompt"], "You are a helpful test server.");
        assert_eq!(request["maxTokens"], 7);
        assert_eq!(request["includeContext"], "thisServer");
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn the_temperature_is_written_to_the_digit() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", all()).await;
    let params = json!({ "name": "sampleLLM", "arguments": { "prompt": "x" } });
    let id = client.ask("tools/call", params).await;
    let question = client.asked().await;
    assert_eq!(question["method"], "sampling/createMessage");
    assert_eq!(question["params"]["temperature"], 0.7);
    assert_eq!(question["params"]["maxTokens"], 100);
    // A model may answer in several blocks, of which the first text is told.
    let content = json!([
        { "type": "image", "data": "", "mimeType": "image/png" },
        { "type": "text", "text": "first" },
        { "type": "text", "text": "second" },
    ]);
    let reply = json!({ "role": "assistant", "model": "m", "content": content });
    client.reply(&question, reply).await;
    let answer = client.answer_to(id).await;
    assert_eq!(answer["result"]["content"][0]["text"], "LLM sampling result: first");
}

/// A form is shown in the order of its fields.
#[tokio::test]
async fn the_fields_of_a_form_go_out_in_their_order() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", all()).await;
    client.ask("tools/call", json!({ "name": "elicitInputs" })).await;
    let question = client.asked().await;
    let fields = question["params"]["requestedSchema"]["properties"].as_object().unwrap();
    let fields: Vec<_> = fields.keys().take(4).collect();
    assert_eq!(fields, ["name", "check", "color", "email"]);
}

#[tokio::test]
async fn roots_are_asked_for_and_listed_on_all_revisions() {
    for version in REVISIONS {
        let client = Answering::new(version.clone(), all()).connect(&everything()).await;
        let result = call(&client, "getRootsList", json!({})).await;
        let text = texts(&result)[0];
        let list = "Current MCP Roots (1 total):\n\n1. Work\n   URI: file:///work\n\n";
        assert!(text.starts_with(list), "{version}: {text}");
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn no_roots_are_told_as_such() {
    let mut client = Raw::stateful(&everything(), "2025-06-18", all()).await;
    let id = client.ask("tools/call", json!({ "name": "getRootsList" })).await;
    let question = client.asked().await;
    assert_eq!(question["method"], "roots/list");
    client.reply(&question, json!({ "roots": [] })).await;
    let answer = client.answer_to(id).await;
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    let start = "The client supports roots but no roots are currently configured.";
    assert!(text.starts_with(start), "{text}");
}

#[tokio::test]
async fn whatever_the_user_decides_is_the_result() {
    let accepted = json!({ "action": "accept", "content": { "name": "Ada", "integer": 3 } });
    for version in &REVISIONS[1..] {
        for decision in [&accepted, &json!({ "action": "decline" }), &json!({ "action": "cancel" })]
        {
            let mut answering = Answering::new(version.clone(), all());
            answering.elicited = elicited(decision.clone());
            let asked = Arc::clone(&answering.asked);
            let client = answering.connect(&everything()).await;
            let result = call(&client, "elicitInputs", json!({})).await;
            assert_eq!(texts(&result), [format!("Elicitation result: {decision:#}")], "{version}");
            let request = asked.lock().unwrap()[0]["elicitation"].take();
            assert_eq!(request["message"], "Please provide inputs for the following fields:");
            let schema = &request["requestedSchema"];
            assert_eq!(schema["required"], json!(["name"]));
            let recent = *version >= ProtocolVersion::V_2025_11_25;
            let fields = schema["properties"].as_object().unwrap().len();
            assert_eq!(fields, if recent { 13 } else { 10 }, "{version}");
            client.cancel().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_accepted_answer_must_fit_the_form() {
    for (content, named) in [
        (json!({ "integer": 3 }), "\"name\""),
        (json!({ "name": "Ada", "integer": 101 }), "integer"),
        (json!({ "name": "Ada", "petType": "yeti" }), "petType"),
        (json!({ "name": "Ada", "untitledMultipleSelectEnum": [] }), "untitledMultipleSelectEnum"),
        (json!(null), "\"name\""),
    ] {
        let mut client = Raw::stateful(&everything(), "2025-11-25", all()).await;
        let id = client.ask("tools/call", json!({ "name": "elicitInputs" })).await;
        let question = client.asked().await;
        client.reply(&question, json!({ "action": "accept", "content": content })).await;
        let answer = client.answer_to(id).await;
        assert_eq!(answer["result"]["isError"], true, "{content}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(named), "{content}: {text}");
    }
}

const ASKING: [(&str, &str, &str); 3] = [
    ("sampleLLM", "sampling", "sampling/createMessage"),
    ("elicitInputs", "elicitation", "elicitation/create"),
    ("getRootsList", "roots", "roots/list"),
];

fn arguments_of(tool: &str) -> Value {
    if tool == "sampleLLM" { json!({ "prompt": "x" }) } else { json!({}) }
}

#[tokio::test]
async fn a_client_without_the_capability_is_not_asked() {
    for (tool, capability, _) in ASKING {
        let mut others = all();
        others.as_object_mut().unwrap().remove(capability);
        for version in ["2025-06-18", "2025-11-25"] {
            let mut client = Raw::stateful(&everything(), version, others.clone()).await;
            let answer = client.call(tool, arguments_of(tool)).await;
            assert_eq!(answer["result"]["isError"], true, "{tool}");
            let text = answer["result"]["content"][0]["text"].as_str().unwrap();
            assert!(text.contains(&format!("\"{capability}\"")), "{text}");
            assert!(client.asides.is_empty(), "{tool}: {:?}", client.asides);
        }
        let mut client = Raw::stateless(&everything(), others);
        let answer = client.call(tool, arguments_of(tool)).await;
        assert_eq!(answer["error"]["code"], -32021, "{tool}");
        let required = json!({ "requiredCapabilities": { capability: {} } });
        assert_eq!(answer["error"]["data"], required);
    }
}

#[tokio::test]
async fn an_error_of_the_client_is_told() {
    for (tool, _, method) in ASKING {
        let mut client = Raw::stateful(&everything(), "2025-11-25", all()).await;
        let params = json!({ "name": tool, "arguments": arguments_of(tool) });
        let id = client.ask("tools/call", params).await;
        let question = client.asked().await;
        assert_eq!(question["method"], method);
        let error = json!({ "code": -1, "message": format!("no\n{}", "x".repeat(1000)) });
        client.send(json!({ "jsonrpc": "2.0", "id": question["id"], "error": error })).await;
        let answer = client.answer_to(id).await;
        assert_eq!(answer["result"]["isError"], true);
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with(&format!("The client answered {method} with error -1: no\\n")));
        assert!(text.len() < 300, "{text}");
    }
}

#[tokio::test]
async fn an_answer_of_the_wrong_kind_is_told() {
    for (tool, _, method) in ASKING {
        for wrong in [json!({}), json!({ "roots": 1 }), json!({ "action": "perhaps" })] {
            let mut client = Raw::stateful(&everything(), "2025-11-25", all()).await;
            let params = json!({ "name": tool, "arguments": arguments_of(tool) });
            let id = client.ask("tools/call", params).await;
            let question = client.asked().await;
            client.reply(&question, wrong.clone()).await;
            let answer = client.answer_to(id).await;
            assert_eq!(answer["result"]["isError"], true, "{tool} {wrong}");
            let text = answer["result"]["content"][0]["text"].as_str().unwrap();
            let start = format!("The client's answer to {method} is not valid: ");
            assert!(text.starts_with(&start), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_is_given_up() {
    for ((tool, _, method), seconds) in ASKING.into_iter().zip([60, 600, 60]) {
        let server: Everything = everything();
        let mut client = Raw::stateful(&server, "2025-11-25", all()).await.in_paused_time();
        let start = tokio::time::Instant::now();
        let params = json!({ "name": tool, "arguments": arguments_of(tool) });
        let id = client.ask("tools/call", params).await;
        let question = client.asked().await;
        let answer = client.answer_to(id).await;
        assert_eq!(start.elapsed().as_secs(), seconds);
        assert_eq!(
            answer["result"]["content"][0]["text"],
            format!("The client did not answer {method} within {seconds} seconds.")
        );
        assert_eq!(client.asides.len(), 1, "{:?}", client.asides);
        assert_eq!(client.asides[0]["method"], "notifications/cancelled");
        assert_eq!(client.asides[0]["params"]["requestId"], question["id"]);
    }
}
