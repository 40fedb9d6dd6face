//! What the server says about itself.

use serde_json::json;

use crate::support::{Raw, everything};

const KEY: &str = "io.modelcontextprotocol/serverInfo";

#[tokio::test]
async fn initialize_names_the_server_and_what_it_can() {
    let client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    let result = client.initialized;
    assert_eq!(result["serverInfo"]["name"], "mcp-everything");
    assert_eq!(result["serverInfo"]["title"], "MCP Everything Server");
    assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(result["instructions"].as_str().unwrap().contains("echo"));
    assert_eq!(
        result["capabilities"],
        json!({
            "completions": {},
            "extensions": {
                "io.modelcontextprotocol/ui": { "mimeTypes": ["text/html;profile=mcp-app"] },
            },
            "logging": {},
            "prompts": { "listChanged": true },
            "resources": { "listChanged": true, "subscribe": true },
            "tools": { "listChanged": true },
        })
    );
}

#[tokio::test]
async fn each_result_of_2026_07_28_names_the_server() {
    let mut client = Raw::stateless(&everything(), json!({ "roots": {} }));
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({ "name": "echo", "arguments": { "message": "x" } })),
        ("tools/call", json!({ "name": "echo", "arguments": {} })),
        ("tools/call", json!({ "name": "getRootsList" })),
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "simple_prompt" })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "test://static/resource/1" })),
        (
            "completion/complete",
            json!({
                "ref": { "type": "ref/prompt", "name": "complex_prompt" },
                "argument": { "name": "style", "value": "" },
            }),
        ),
    ] {
        let answer = client.request(method, params.clone()).await;
        let name = &answer["result"]["_meta"][KEY]["name"];
        assert_eq!(name, "mcp-everything", "{method} {params}: {answer}");
    }
}

#[tokio::test]
async fn results_of_older_revisions_have_nothing_of_the_newest() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    let answer = client.call("echo", json!({ "message": "x" })).await;
    assert_eq!(
        answer["result"],
        json!({ "content": [{ "type": "text", "text": "Echo: x" }], "isError": false })
    );
    for (method, params, members) in [
        ("tools/list", json!({}), ["tools"].as_slice()),
        ("prompts/list", json!({}), &["prompts"]),
        ("resources/list", json!({}), &["nextCursor", "resources"]),
        ("resources/templates/list", json!({}), &["resourceTemplates"]),
        ("resources/read", json!({ "uri": "test://static/resource/1" }), &["contents"]),
        ("prompts/get", json!({ "name": "simple_prompt" }), &["description", "messages"]),
    ] {
        let answer = client.request(method, params).await;
        let seen: Vec<&String> = answer["result"].as_object().unwrap().keys().collect();
        assert_eq!(seen, members, "{method}");
    }
}

#[tokio::test]
async fn the_four_revisions_with_sessions_and_the_one_without_are_served() {
    let mut client = Raw::stateless(&everything(), json!({}));
    let result = client.request("server/discover", json!({})).await["result"].take();
    let versions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
    assert_eq!(result["supportedVersions"], json!(versions));
    for version in &versions[..4] {
        Raw::stateful(&everything(), version, json!({})).await;
    }
}
