//! The bad-input table: each input is answered with the error the protocol has for it, which says
//! which input and why, and repeats nothing else.

use serde_json::{Value, json};

use crate::support::{Raw, all, everything};

/// A client for each kind of protocol.
async fn clients() -> [Raw; 2] {
    [Raw::stateful(&everything(), "2025-11-25", all()).await, Raw::stateless(&everything(), all())]
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_the_result_of_the_call() {
    for (tool, arguments, complaint) in [
        ("echo", json!({}), "\"message\" is a required property"),
        ("echo", json!({ "message": 5 }), "message: value is not of type \"string\""),
        ("echo", json!({ "message": null }), "message: value is not of type \"string\""),
        ("add", json!({ "a": 1 }), "\"b\" is a required property"),
        ("add", json!({ "a": "1", "b": 2 }), "a: value is not of type \"number\""),
        ("longRunningOperation", json!({ "duration": 0 }), "duration: "),
        ("longRunningOperation", json!({ "duration": -1 }), "duration: "),
        ("longRunningOperation", json!({ "duration": 3600.1 }), "duration: "),
        ("longRunningOperation", json!({ "duration": 1e300 }), "duration: "),
        ("longRunningOperation", json!({ "steps": 0 }), "steps: "),
        ("longRunningOperation", json!({ "steps": 2.5 }), "steps: "),
        ("longRunningOperation", json!({ "steps": 1001 }), "steps: "),
        ("longRunningOperation", json!({ "steps": "many" }), "steps: "),
        ("sampleLLM", json!({ "prompt": "x", "maxTokens": 0 }), "maxTokens: "),
        ("sampleLLM", json!({ "prompt": "x", "maxTokens": 1e10 }), "maxTokens: "),
        ("sampleLLM", json!({ "maxTokens": 5 }), "\"prompt\" is a required property"),
        ("annotatedMessage", json!({ "messageType": "fatal" }), "messageType: "),
        (
            "annotatedMessage",
            json!({ "messageType": "debug", "includeImage": "yes" }),
            "includeImage: ",
        ),
        ("getResourceLinks", json!({ "count": 0 }), "count: "),
        ("getResourceLinks", json!({ "count": 11 }), "count: "),
        ("getResourceLinks", json!({ "count": 2.5 }), "count: "),
        ("getStructuredContent", json!({}), "\"location\" is a required property"),
        ("getStructuredContent", json!({ "location": "Boston" }), "location: "),
        ("getResourceReference", json!({}), "\"resourceId\" is a required property"),
        ("getResourceReference", json!({ "resourceId": 0 }), "resourceId: "),
        ("getResourceReference", json!({ "resourceId": 101 }), "resourceId: "),
        ("getResourceReference", json!({ "resourceId": 1.5 }), "resourceId: "),
    ] {
        for mut client in clients().await {
            let answer = client.call(tool, arguments.clone()).await;
            assert_eq!(answer["result"]["isError"], true, "{tool} {arguments}: {answer}");
            let text = answer["result"]["content"][0]["text"].as_str().unwrap();
            let start = format!("Invalid arguments for {tool}: ");
            assert!(text.starts_with(&start), "{tool} {arguments}: {text}");
            assert!(text.contains(complaint), "{tool} {arguments}: {text}");
        }
    }
}

#[tokio::test]
async fn all_faults_are_told_at_once() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    let answer = client.call("longRunningOperation", json!({ "duration": -1, "steps": 0 })).await;
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("duration: ") && text.contains("; steps: "), "{text}");
}

#[tokio::test]
async fn no_arguments_are_empty_arguments() {
    for mut client in clients().await {
        let answer = client.request("tools/call", json!({ "name": "getTinyImage" })).await;
        assert_eq!(answer["result"]["isError"], false);
        let params = json!({ "name": "getTinyImage", "arguments": { "more": [1, 2] } });
        let answer = client.request("tools/call", params).await;
        assert_eq!(answer["result"]["isError"], false, "arguments nobody knows are ignored");
    }
}

#[tokio::test]
async fn requests_that_cannot_be_served_are_errors() {
    let long = "x".repeat(5000);
    let cursor = |cursor: &str| json!({ "cursor": cursor });
    let prompt = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    let table: Vec<(&str, Value, &str)> = vec![
        ("tools/call", json!({ "name": "nope" }), "Unknown tool: nope"),
        ("tools/call", json!({ "name": "ec\nho" }), "Unknown tool: ec\\nho"),
        ("tools/call", json!({ "name": "" }), "Unknown tool: "),
        ("tools/call", json!({ "name": long }), "Unknown tool: xxx"),
        ("tools/list", cursor("MTA="), "cursor"),
        ("tools/list", cursor(""), "cursor"),
        ("prompts/list", cursor("x"), "cursor"),
        ("resources/templates/list", cursor("x"), "cursor"),
        ("resources/list", cursor(""), "cursor"),
        ("resources/list", cursor("x"), "cursor"),
        ("resources/list", cursor("MTEw"), "cursor"),
        ("resources/list", cursor("MTE="), "cursor"),
        ("resources/list", cursor(&long), "cursor"),
        ("resources/read", json!({ "uri": long }), "uri is longer than"),
        ("prompts/get", json!({ "name": "nope" }), "Unknown prompt: nope"),
        ("prompts/get", json!({ "name": long }), "Unknown prompt: xxx"),
        ("prompts/get", json!({ "name": "complex_prompt" }), "temperature"),
        ("prompts/get", prompt("complex_prompt", json!({ "style": "x" })), "temperature"),
        ("prompts/get", prompt("complex_prompt", json!({ "temperature": 1 })), "temperature"),
        (
            "prompts/get",
            prompt("complex_prompt", json!({ "temperature": "1", "style": 5 })),
            "Argument style must be a string",
        ),
        ("prompts/get", prompt("resource_prompt", json!({})), "resourceId"),
        (
            "prompts/get",
            prompt("resource_prompt", json!({ "resourceId": "101" })),
            "Invalid resourceId: 101. Must be a number between 1 and 100.",
        ),
        (
            "prompts/get",
            prompt("resource_prompt", json!({ "resourceId": long })),
            "Invalid resourceId: xxx",
        ),
    ];
    for (method, params, complaint) in table {
        for mut client in clients().await {
            let answer = client.request(method, params.clone()).await;
            let error = &answer["error"];
            assert_eq!(error["code"], -32602, "{method} {params}: {answer}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(complaint), "{method}: {message}");
            assert!(error.to_string().len() < 400, "{method}: {message}");
        }
    }
}

#[tokio::test]
async fn huge_values_are_not_repeated() {
    let huge = "x".repeat(100_000);
    for (tool, arguments) in [
        ("add", json!({ "a": huge, "b": huge })),
        ("annotatedMessage", json!({ "messageType": huge })),
        ("echo", json!({ "message": { huge.as_str(): [huge] } })),
    ] {
        let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
        let answer = client.call(tool, arguments).await;
        assert_eq!(answer["result"]["isError"], true);
        assert!(answer.to_string().len() < 1000, "{tool}");
    }
}
