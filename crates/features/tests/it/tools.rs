//! Each tool, over all revisions.

use std::sync::Arc;

use mcp_everything_features::{
    Call, CallError, Definition, Everything, NoInput, Options, Tool, text,
};
use rmcp::model::{CallToolResult, ProtocolVersion};
use serde_json::{Value, json};

use crate::support::{Answering, REVISIONS, Raw, all, call, called_by, everything, options, texts};

#[tokio::test]
async fn plain_tools_return_the_same_on_all_revisions() {
    for version in REVISIONS {
        let client = Answering::new(version.clone(), json!({})).connect(&everything()).await;

        let echo = call(&client, "echo", json!({ "message": "hé\nllo" })).await;
        assert_eq!(texts(&echo), ["Echo: hé\nllo"], "{version}");
        assert_eq!(echo.is_error, Some(false));

        let add = call(&client, "add", json!({ "a": 0.1, "b": 0.2 })).await;
        assert_eq!(texts(&add), ["The sum of 0.1 and 0.2 is 0.30000000000000004."]);
        let add = call(&client, "add", json!({ "a": 2, "b": 3.0 })).await;
        assert_eq!(texts(&add), ["The sum of 2 and 3 is 5."]);
        assert_eq!(add.structured_content.unwrap().to_string(), r#"{"sum":5}"#);

        let image = call(&client, "getTinyImage", json!({})).await;
        let captions = ["This is a tiny image:", "The image above is the MCP tiny image."];
        assert_eq!(texts(&image), captions);
        assert_eq!(image.content[1].as_image().unwrap().mime_type, "image/png");

        let reference = call(&client, "getResourceReference", json!({ "resourceId": 2.0 })).await;
        assert_eq!(
            texts(&reference),
            [
                "Returning resource reference for Resource 2:",
                "You can access this resource using the URI: test://static/resource/2",
            ]
        );
        let embedded = json!(reference.content[1].as_resource().unwrap().resource);
        assert_eq!(embedded["uri"], "test://static/resource/2");
        assert_eq!(embedded["mimeType"], "application/octet-stream");
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn annotations_are_written_to_the_digit() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    for (kind, text, priority, audience) in [
        ("error", "Error: Operation failed", 1.0, json!(["user", "assistant"])),
        ("success", "Operation completed successfully", 0.7, json!(["user"])),
        ("debug", "Debug: Cache hit ratio 0.95, latency 150ms", 0.3, json!(["assistant"])),
    ] {
        let answer = client.call("annotatedMessage", json!({ "messageType": kind })).await;
        let content = &answer["result"]["content"];
        assert_eq!(content.as_array().unwrap().len(), 1);
        assert_eq!(content[0]["text"], text);
        let annotations = json!({ "priority": priority, "audience": audience });
        assert_eq!(content[0]["annotations"], annotations);
    }
    let with_image = json!({ "messageType": "debug", "includeImage": true });
    let answer = client.call("annotatedMessage", with_image).await;
    let image = &answer["result"]["content"][1];
    assert_eq!(image["type"], "image");
    assert_eq!(image["annotations"], json!({ "priority": 0.5, "audience": ["user"] }));
}

#[tokio::test]
async fn the_sum_of_large_numbers_is_told_as_an_error() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    let answer = client.call("add", json!({ "a": 1e308, "b": 1e308 })).await;
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(answer["result"].get("structuredContent"), None);
}

#[tokio::test(start_paused = true)]
async fn a_long_operation_reports_each_step() {
    for mut client in [
        Raw::stateful(&everything(), "2025-11-25", json!({})).await.in_paused_time(),
        Raw::stateless(&everything(), json!({})).in_paused_time(),
    ] {
        let start = tokio::time::Instant::now();
        let params = json!({
            "name": "longRunningOperation",
            "arguments": { "duration": 0.5, "steps": 3 },
            "_meta": { "progressToken": "token" },
        });
        let answer = client.request("tools/call", params).await;
        assert_eq!(
            answer["result"]["content"][0]["text"],
            "Long running operation completed. Duration: 0.5 seconds, Steps: 3."
        );
        // tokio rounds timers to the next millisecond.
        let took = start.elapsed().as_millis();
        assert!((500..=503).contains(&took), "{took}");
        let reports: Vec<Value> = client
            .asides
            .iter()
            .map(|report| {
                assert_eq!(report["method"], "notifications/progress");
                report["params"].clone()
            })
            .collect();
        let report = |step| json!({ "progressToken": "token", "progress": step, "total": 3.0 });
        assert_eq!(reports, [report(1.0), report(2.0), report(3.0)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_operation_has_defaults_and_reports_only_on_request() {
    let client = Raw::stateful(&everything(), "2025-06-18", json!({})).await;
    let mut client = client.in_paused_time();
    let answer = client.request("tools/call", json!({ "name": "longRunningOperation" })).await;
    assert_eq!(
        answer["result"]["content"][0]["text"],
        "Long running operation completed. Duration: 10 seconds, Steps: 5."
    );
    assert!(client.asides.is_empty());
}

/// Reports progress that does not always increase.
struct Wavering;

impl Tool for Wavering {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new("wavering", "Wavering", "Reports")
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        for progress in [0.0, 1.0, 1.0, 0.5, 1.5] {
            call.progress(progress, 2.0, None).await;
        }
        Ok(text("done"))
    }
}

#[tokio::test]
async fn progress_only_increases() {
    let everything = Everything::new(options().with_tool(Wavering)).unwrap();
    let mut client = Raw::stateless(&everything, json!({}));
    let params = json!({ "name": "wavering", "_meta": { "progressToken": 1 } });
    client.request("tools/call", params).await;
    let reported: Vec<&Value> =
        client.asides.iter().map(|report| &report["params"]["progress"]).collect();
    assert_eq!(reported, [0.0, 1.0, 1.5]);
}

#[tokio::test]
async fn whoami_says_who_called_and_who_answered_on_all_revisions() {
    let origin = Arc::new(|_: &rmcp::model::Extensions| called_by("ada"));
    let options = Options { instance: "web-1.x".to_owned(), origin, ..options() };
    let everything = Everything::new(options).unwrap();
    for version in REVISIONS {
        let client = Answering::new(version.clone(), json!({ "roots": {} }));
        let client = client.connect(&everything).await;
        let answer = call(&client, "whoami", json!({})).await;
        let has_session = version.has_initialize();
        let seen = answer.structured_content.as_ref().unwrap();
        assert_eq!(
            *seen,
            json!({
                "instance": "web-1.x",
                "serverVersion": env!("CARGO_PKG_VERSION"),
                "uptimeSeconds": 0,
                "transport": "streamable-http",
                "protocolVersion": version,
                "session": has_session,
                "caller": {
                    "user": "ada",
                    "clientId": "a client",
                    "issuer": "https://issuer.example.com",
                    "scopes": ["mcp:tools"],
                },
                "client": { "name": "test", "version": "0" },
                "capabilities": { "roots": {} },
            })
        );
        let [said, json] = texts(&answer)[..] else { panic!("{answer:?}") };
        assert!(said.contains("web-1.x") && said.contains("ada"), "{said}");
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), *seen);
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn whoami_keeps_to_its_schema_with_and_without_a_caller() {
    let origin = Arc::new(|_: &rmcp::model::Extensions| called_by("ada"));
    let alone = everything();
    let served = Everything::new(Options { origin, ..options() }).unwrap();
    for everything in [alone, served] {
        let mut client = Raw::stateful(&everything, "2025-11-25", all()).await;
        let tools = client.request("tools/list", json!({})).await["result"]["tools"].take();
        let tools = tools.as_array().unwrap();
        let schema = &tools.iter().find(|tool| tool["name"] == "whoami").unwrap()["outputSchema"];
        let seen = client.call("whoami", json!({})).await["result"]["structuredContent"].take();
        assert!(jsonschema::draft202012::is_valid(schema, &seen), "{seen} is no {schema}");
        let kinds = ["caller", "client", "capabilities"];
        assert!(kinds.iter().all(|name| schema["properties"][name]["type"] == "object"));
    }
}

#[tokio::test]
async fn tools_are_published_as_specified() {
    let mut client = Raw::stateless(&everything(), all());
    let pages = client.pages("tools/list").await;
    let tools: Vec<&Value> =
        pages.iter().flat_map(|page| page["tools"].as_array().unwrap()).collect();
    let published: Vec<Value> = tools
        .iter()
        .map(|tool| {
            json!({
                "name": tool["name"],
                "description": tool["description"],
                "inputSchema": tool["inputSchema"],
            })
        })
        .collect();
    let specified: Vec<Value> = serde_json::from_str(include_str!("tools.json")).unwrap();
    for (published, specified) in published.iter().zip(&specified) {
        assert_eq!(published, specified);
    }
    assert_eq!(published.len(), specified.len());
    for tool in &tools {
        let changes_something = tool["annotations"]["readOnlyHint"] == false;
        let name = tool["name"].as_str().unwrap();
        let own = ["updateDocument", "gzipFileAsResource"].contains(&name);
        assert_eq!(changes_something, own || name.starts_with("toggle"), "{tool}");
        for hint in ["destructiveHint", "idempotentHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{tool}");
        }
        assert!(tool["annotations"]["openWorldHint"].is_boolean(), "{tool}");
        assert!(tool["title"].is_string(), "{tool}");
    }
    assert_eq!(tools[1]["outputSchema"]["required"], json!(["sum"]));
}

#[tokio::test]
async fn fixtures_are_neither_listed_nor_callable() {
    let client = Answering::new(ProtocolVersion::V_2025_11_25, json!({}));
    let client = client.connect(&everything()).await;
    let names = |name: &str| !name.starts_with("test_") && !name.starts_with("json_schema");
    assert!(client.list_all_tools().await.unwrap().iter().all(|tool| names(&tool.name)));
    assert!(client.list_all_prompts().await.unwrap().iter().all(|prompt| names(&prompt.name)));
    let resources = client.list_all_resources().await.unwrap();
    let is_fixture =
        |uri: &str| uri.starts_with("test://") && !uri.starts_with("test://static/resource/");
    assert!(resources.iter().all(|resource| !is_fixture(&resource.uri)));
    let mut raw = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    let answer = raw.call("test_simple_text", json!({})).await;
    assert_eq!(answer["error"]["code"], -32602);
}
