//! What the server says about itself.

use std::collections::BTreeSet;

use mcp_everything_features::{Everything, Options};
use serde_json::{Value, json};

use crate::support::{Raw, everything, options};

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

#[test]
fn what_everybody_is_shown_can_be_named() {
    let names = everything().names();
    let has = |list: &[String], name: &str| list.iter().any(|one| one == name);
    assert!(has(&names.tools, "echo") && has(&names.tools, "whoami"), "{names:?}");
    assert!(!has(&names.tools, "dynamicTool") && has(&names.prompts, "simple_prompt"), "{names:?}");
    assert!(!has(&names.prompts, "dynamic_prompt"), "{names:?}");
    assert!(has(&names.templates, "demo://directory/{department}/{name}"), "{names:?}");
}

fn with_website() -> Everything {
    let website_url = Some("https://mcp.example.com".to_owned());
    Everything::new(Options { website_url, ..options() }).unwrap()
}

fn members(info: &Value) -> BTreeSet<&str> {
    info.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn more_is_said_once_and_to_those_who_know_it() {
    for (version, said) in [
        ("2025-06-18", ["name", "title", "version"].as_slice()),
        ("2025-11-25", &["description", "icons", "name", "title", "version", "websiteUrl"]),
    ] {
        let client = Raw::stateful(&with_website(), version, json!({})).await;
        let said = said.iter().copied().collect();
        assert_eq!(members(&client.initialized["serverInfo"]), said, "{version}");
    }
    let mut client = Raw::stateless(&with_website(), json!({}));
    let answer = client.request("server/discover", json!({})).await;
    let info = &answer["result"]["_meta"][KEY];
    assert_eq!(info["websiteUrl"], "https://mcp.example.com");
    assert!(info["icons"][0]["src"].as_str().unwrap().starts_with("data:image/png;base64,"));
    let answer = client.request("tools/list", json!({})).await;
    assert_eq!(members(&answer["result"]["_meta"][KEY]), BTreeSet::from(["name", "version"]));
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
        ("tools/list", json!({}), ["nextCursor", "tools"].as_slice()),
        ("prompts/list", json!({}), &["prompts"]),
        ("resources/list", json!({}), &["nextCursor", "resources"]),
        ("resources/templates/list", json!({}), &["nextCursor", "resourceTemplates"]),
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
