//! The fixtures of the conformance suite, the way the suite uses them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mcp_everything_features::StreamCloser;
use rmcp::{
    RoleServer, ServerHandler as _,
    model::{CallToolRequestParams, CallToolResponse, ElicitResult, NumberOrString},
    service::RequestContext,
};
use serde_json::{Value, json};

use crate::support::{Answering, REVISIONS, Raw, all, call, conformance, texts};

async fn clients(can: Value) -> [Raw; 2] {
    let server = conformance();
    [Raw::stateful(&server, "2025-11-25", can.clone()).await, Raw::stateless(&server, can)]
}

#[tokio::test]
async fn content_tools_return_their_content() {
    for mut client in clients(json!({})).await {
        for (tool, kinds) in [
            ("test_simple_text", json!(["text"])),
            ("test_image_content", json!(["image"])),
            ("test_audio_content", json!(["audio"])),
            ("test_embedded_resource", json!(["resource"])),
            ("test_multiple_content_types", json!(["text", "image", "resource"])),
        ] {
            let answer = client.request("tools/call", json!({ "name": tool })).await;
            let content = answer["result"]["content"].as_array().unwrap();
            let seen: Vec<&Value> = content.iter().map(|block| &block["type"]).collect();
            assert_eq!(json!(seen), kinds, "{tool}");
        }
        let audio = client.call("test_audio_content", json!({})).await;
        assert_eq!(audio["result"]["content"][0]["mimeType"], "audio/wav");
        let embedded = client.call("test_multiple_content_types", json!({})).await;
        let embedded = &embedded["result"]["content"][2]["resource"];
        assert_eq!(embedded["text"], r#"{"test":"data","value":123}"#);
        let error = client.call("test_error_handling", json!({})).await;
        assert_eq!(error["result"]["isError"], true);
        let text = "This tool intentionally returns an error for testing";
        assert_eq!(error["result"]["content"][0]["text"], text);
    }
}

#[tokio::test]
async fn progress_is_reported_three_times() {
    for mut client in clients(json!({})).await {
        let params = json!({
            "name": "test_tool_with_progress", "_meta": { "progressToken": "progress-test-1" },
        });
        let answer = client.request("tools/call", params).await;
        assert_eq!(answer["result"]["content"][0]["text"], "progress-test-1");
        let progress: Vec<&Value> =
            client.asides.iter().map(|report| &report["params"]["progress"]).collect();
        assert_eq!(progress, [0.0, 50.0, 100.0]);
        for report in &client.asides {
            assert_eq!(report["params"]["progressToken"], "progress-test-1");
        }
    }
}

#[tokio::test]
async fn three_messages_are_logged_to_those_who_want_them() {
    let [mut stateful, mut stateless] = clients(json!({})).await;
    for tool in ["test_tool_with_logging", "test_logging_tool"] {
        stateful.call(tool, json!({})).await;
        assert_eq!(std::mem::take(&mut stateful.asides).len(), 3, "{tool}");
        stateless.call(tool, json!({})).await;
        assert!(stateless.asides.is_empty(), "{tool}");
    }
}

#[tokio::test]
async fn tools_that_ask_work_on_all_revisions() {
    let accepted = json!({ "action": "accept", "content": {} });
    let accepted: ElicitResult = serde_json::from_value(accepted).unwrap();
    for version in REVISIONS {
        let mut answering = Answering::new(version.clone(), all());
        answering.elicited = accepted.clone();
        let client = answering.connect(&conformance()).await;
        for (tool, arguments, text) in [
            ("test_sampling", json!({ "prompt": "x" }), "LLM response: Paris."),
            ("test_missing_capability", json!({}), "LLM response: Paris."),
            (
                "test_elicitation",
                json!({ "message": "x" }),
                "User response: action=accept, content={}",
            ),
            (
                "test_elicitation_sep1034_defaults",
                json!({}),
                "Elicitation completed: action=accept, content={}",
            ),
            (
                "test_elicitation_sep1330_enums",
                json!({}),
                "Elicitation completed: action=accept, content={}",
            ),
            (
                "test_streaming_elicitation",
                json!({}),
                "Elicitation completed: action=accept, content={}",
            ),
            ("test_input_required_result_elicitation", json!({}), "Hello, —!"),
            ("test_input_required_result_sampling", json!({}), "Paris."),
            ("test_input_required_result_list_roots", json!({}), "1 roots: file:///work"),
            ("test_input_required_result_request_state", json!({}), "state-ok"),
            ("test_input_required_result_tampered_state", json!({}), "state-ok"),
            ("test_input_required_result_multiple_inputs", json!({}), "—: Paris. (1 roots)"),
            ("test_input_required_result_multi_round", json!({}), "— likes —"),
            (
                "test_input_required_result_capabilities",
                json!({}),
                "The client answered: elicitation, sampling, roots",
            ),
        ] {
            let result = call(&client, tool, arguments).await;
            assert_eq!(texts(&result), [text], "{version} {tool}");
        }
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn the_keys_of_questions_are_the_ones_the_suite_answers() {
    let mut client = Raw::stateless(&conformance(), all());
    for (tool, keys) in [
        ("test_input_required_result_elicitation", json!(["user_name"])),
        ("test_input_required_result_sampling", json!(["capital_question"])),
        ("test_input_required_result_list_roots", json!(["client_roots"])),
        ("test_input_required_result_request_state", json!(["confirm"])),
        ("test_input_required_result_multi_round", json!(["step1"])),
        (
            "test_input_required_result_multiple_inputs",
            json!(["client_roots", "greeting", "user_name"]),
        ),
    ] {
        let answer = client.call(tool, json!({})).await;
        assert_eq!(answer["result"]["resultType"], "input_required", "{tool}");
        assert!(answer["result"]["requestState"].is_string(), "{tool}");
        let asked: Vec<&String> =
            answer["result"]["inputRequests"].as_object().unwrap().keys().collect();
        assert_eq!(json!(asked), keys, "{tool}");
    }
}

#[tokio::test]
async fn the_second_round_takes_what_the_suite_sends() {
    let tool = "test_input_required_result_elicitation";
    let alice = json!({ "action": "accept", "content": { "name": "Alice" } });
    let mut client = Raw::stateless(&conformance(), all());
    let mut send = async |responses: Value| {
        let params = json!({ "name": tool, "arguments": {}, "inputResponses": responses });
        client.request("tools/call", params).await
    };
    let extra = json!({ "user_name": alice, "unknown_extra_key": { "action": "accept" } });
    for complete in [json!({ "user_name": alice }), extra] {
        let answer = send(complete).await;
        assert_eq!(answer["result"]["content"][0]["text"], "Hello, Alice!");
    }
    for missing in [json!({ "wrong_key": alice }), json!(null), json!({})] {
        let answer = send(missing).await;
        assert_eq!(answer["result"]["resultType"], "input_required");
    }
    assert_eq!(send(json!({ "user_name": 12345 })).await["error"]["code"], -32602);
}

#[tokio::test]
async fn only_declared_capabilities_are_used() {
    let mut client = Raw::stateless(&conformance(), json!({ "sampling": {} }));
    let answer = client.call("test_input_required_result_capabilities", json!({})).await;
    let requests = answer["result"]["inputRequests"].as_object().unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests["greeting"]["method"], "sampling/createMessage");

    let mut client = Raw::stateless(&conformance(), json!({}));
    let answer = client.call("test_missing_capability", json!({})).await;
    assert_eq!(answer["error"]["code"], -32021);
    assert_eq!(answer["error"]["data"]["requiredCapabilities"]["sampling"], json!({}));
}

#[tokio::test]
async fn a_prompt_asks_first() {
    for mut client in clients(all()).await {
        let params = json!({ "name": "test_input_required_result_prompt" });
        let id = client.ask("prompts/get", params.clone()).await;
        let answer = json!({ "action": "accept", "content": { "context": "here" } });
        let result = if client.initialized.is_null() {
            let asked = client.answer_to(id).await["result"].take();
            assert_eq!(asked["inputRequests"]["user_context"]["method"], "elicitation/create");
            let mut again = params;
            again["inputResponses"] = json!({ "user_context": answer });
            again["requestState"] = asked["requestState"].clone();
            client.request("prompts/get", again).await
        } else {
            let question = client.asked().await;
            client.reply(&question, answer).await;
            client.answer_to(id).await
        };
        let text = &result["result"]["messages"][0]["content"]["text"];
        assert_eq!(text, "Use this context: here");
    }
}

#[tokio::test]
async fn triggers_reach_listeners() {
    let server = conformance();
    let mut client = Raw::stateless(&server, json!({}));
    let filter = json!({ "notifications": { "promptsListChanged": true } });
    client.ask("subscriptions/listen", filter).await;
    client.receive().await;
    client.call("test_trigger_tool_change", json!({})).await;
    assert!(client.settle().await.is_empty());
    let params = json!({ "name": "test_trigger_prompt_change", "arguments": {} });
    let id = client.ask("tools/call", params).await;
    // The answer and the notification go their own ways.
    let mut methods = Vec::new();
    for _ in 0..2 {
        let message = client.receive().await;
        methods.push(if message["id"] == id { json!("answer") } else { message["method"].clone() });
    }
    assert!(methods.contains(&json!("notifications/prompts/list_changed")), "{methods:?}");
}

#[tokio::test]
async fn resources_and_prompts_are_what_the_suite_reads() {
    for mut client in clients(json!({})).await {
        let mut read = async |uri: &str| {
            client.request("resources/read", json!({ "uri": uri })).await["result"]["contents"][0]
                .take()
        };
        assert_eq!(read("test://static-text").await["mimeType"], "text/plain");
        assert!(read("test://static-binary").await["blob"].is_string());
        assert!(read("test://watched-resource").await["text"].is_string());
        let data = read("test://template/123/data").await;
        assert!(data["text"].as_str().unwrap().contains("123"), "{data}");
        assert_eq!(data["uri"], "test://template/123/data");
        let mut get = async |name: &str, arguments: Value| {
            let params = json!({ "name": name, "arguments": arguments });
            client.request("prompts/get", params).await["result"]["messages"].take()
        };
        assert!(get("test_simple_prompt", json!({})).await[0]["content"]["text"].is_string());
        let both = json!({ "arg1": "testValue1", "arg2": "testValue2" });
        let text = get("test_prompt_with_arguments", both).await[0]["content"]["text"].take();
        let text = text.as_str().unwrap();
        assert!(text.contains("testValue1") && text.contains("testValue2"), "{text}");
        let uri = json!({ "resourceUri": "test://example-resource" });
        let embedded = get("test_prompt_with_embedded_resource", uri).await;
        assert_eq!(embedded[0]["content"]["resource"]["uri"], "test://example-resource");
        let image = get("test_prompt_with_image", json!({})).await;
        assert_eq!(image[0]["content"]["mimeType"], "image/png");
    }
}

#[tokio::test]
async fn the_wide_schema_is_published_and_enforced() {
    for mut client in clients(json!({})).await {
        let answer = client.request("tools/list", json!({})).await;
        let tools = answer["result"]["tools"].as_array().unwrap();
        let named = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap();
        let schema = &named("json_schema_2020_12_tool")["inputSchema"];
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["$defs"]["address"]["$anchor"], "address");
        assert_eq!(schema["additionalProperties"], false);
        assert!(schema["allOf"][0]["anyOf"].is_array());
        assert!(["if", "then", "else"].iter().all(|keyword| schema[keyword].is_object()));
        let header = &named("test_x_mcp_header")["inputSchema"]["properties"]["region"];
        assert_eq!(header["x-mcp-header"], "Region");

        for (arguments, fits) in [
            (json!({ "contactMethod": "phone", "phone": "1" }), true),
            (json!({ "contactMethod": "phone", "email": "a" }), false),
            (json!({ "email": "a", "address": { "street": 7 } }), false),
            (json!({ "email": "a", "more": 1 }), false),
        ] {
            let answer = client.call("json_schema_2020_12_tool", arguments.clone()).await;
            assert_eq!(answer["result"]["isError"], !fits, "{arguments}: {answer}");
        }
        let answer = client.call("test_x_mcp_header", json!({ "region": "Hello" })).await;
        assert_eq!(answer["result"]["content"][0]["text"], "region=Hello");
    }
}

#[tokio::test]
async fn a_tool_can_be_found_to_check_its_headers() {
    let server = conformance();
    assert!(server.get_tool("test_x_mcp_header").is_some());
    assert!(server.get_tool("echo").is_some());
    assert!(server.get_tool("nope").is_none());
}

#[tokio::test(start_paused = true)]
async fn the_stream_is_closed_once_by_the_tool_that_wants_it_closed() {
    let (_client, server_end) = tokio::io::duplex(64);
    let service =
        rmcp::service::serve_directly::<RoleServer, _, _, _, _>(conformance(), server_end, None);
    let closed = Arc::new(AtomicUsize::new(0));
    for (tool, times) in [("test_simple_text", 0), ("test_reconnection", 1)] {
        let id = NumberOrString::Number(1);
        let mut context = RequestContext::<RoleServer>::new(id, service.peer().clone());
        let counter = Arc::clone(&closed);
        let stream = StreamCloser::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        context.extensions.insert(stream);
        let answer = conformance().call_tool(CallToolRequestParams::new(tool), context).await;
        assert!(matches!(answer, Ok(CallToolResponse::Complete(_))));
        assert_eq!(closed.load(Ordering::SeqCst), times, "{tool}");
    }
}
