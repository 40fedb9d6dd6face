//! MCP Apps: a tool with a page, for clients with and without the extension.

use serde_json::{Value, json};

use crate::support::{Raw, everything};

const UI: &str = "ui://hello-world/app.html";
const PAGE: &str = "text/html;profile=mcp-app";

/// What a client that shows pages declares.
fn shows_pages() -> Value {
    json!({ "extensions": { "io.modelcontextprotocol/ui": { "mimeTypes": [PAGE] } } })
}

/// The tool, as this client sees it.
async fn seen_by(client: &mut Raw) -> Value {
    let mut cursor = Value::Null;
    loop {
        let params = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
        let mut page = client.request("tools/list", params).await["result"].take();
        let mut tools = page["tools"].as_array_mut().unwrap().iter_mut();
        if let Some(tool) = tools.find(|tool| tool["name"] == "mcp_apps_hello_world") {
            return tool.take();
        }
        cursor = page["nextCursor"].take();
        assert!(cursor.is_string(), "the tool is on none of the pages");
    }
}

#[tokio::test]
async fn a_tool_has_its_page_for_clients_that_show_it() {
    let linked = json!({ "ui": { "resourceUri": UI } });
    let other = json!({ "extensions": { "io.modelcontextprotocol/ui": { "mimeTypes": [] } } });
    for (version, can, meta) in [
        ("2025-11-25", shows_pages(), &linked),
        ("2025-06-18", shows_pages(), &linked),
        ("2025-11-25", json!({}), &Value::Null),
        ("2025-06-18", other, &Value::Null),
    ] {
        let mut client = Raw::stateful(&everything(), version, can).await;
        let tool = seen_by(&mut client).await;
        assert_eq!(tool["_meta"], *meta, "{version}");
        assert!(tool["outputSchema"].is_object(), "it is a tool like others");
    }
    // Lists of 2026-07-28 are the same for all clients.
    for can in [shows_pages(), json!({})] {
        let mut client = Raw::stateless(&everything(), can);
        assert_eq!(seen_by(&mut client).await["_meta"], linked);
    }
}

#[tokio::test]
async fn the_page_loads_nothing_and_is_listed_once() {
    let csp = json!({
        "connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": [],
    });
    let meta = json!({ "ui": { "csp": csp, "prefersBorder": true } });
    for mut client in [
        Raw::stateful(&everything(), "2025-11-25", shows_pages()).await,
        Raw::stateful(&everything(), "2025-11-25", json!({})).await,
        Raw::stateless(&everything(), shows_pages()),
    ] {
        let mut listed = Vec::new();
        let mut params = json!({});
        loop {
            let mut page = client.request("resources/list", params).await["result"].take();
            listed.append(page["resources"].as_array_mut().unwrap());
            let cursor = page["nextCursor"].take();
            if cursor.is_null() {
                break;
            }
            params = json!({ "cursor": cursor });
        }
        listed.retain(|resource| resource["uri"] == UI);
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0]["mimeType"], PAGE);
        assert_eq!(listed[0]["_meta"], meta);

        let answer = client.request("resources/read", json!({ "uri": UI })).await;
        let contents = &answer["result"]["contents"];
        assert_eq!(contents.as_array().unwrap().len(), 1);
        assert_eq!(contents[0]["uri"], UI);
        assert_eq!(contents[0]["mimeType"], PAGE);
        assert_eq!(contents[0]["_meta"], meta);
        let text = contents[0]["text"].as_str().unwrap();
        assert!(text.starts_with("<!doctype html>") && text.ends_with("</html>\n"));
        assert_eq!(listed[0]["size"], text.len());
    }
}

#[tokio::test]
async fn the_result_says_the_same_to_whoever_sees_no_page() {
    let everything = everything();
    for (mut client, count) in [
        (Raw::stateful(&everything, "2025-11-25", shows_pages()).await, 1),
        (Raw::stateful(&everything, "2025-11-25", json!({})).await, 2),
        (Raw::stateless(&everything, json!({})), 3),
    ] {
        let answer = client.call("mcp_apps_hello_world", json!({})).await;
        let result = &answer["result"];
        let structured = &result["structuredContent"];
        assert_eq!(
            *structured,
            json!({
                "greeting": "Hello from MCP Apps!",
                "timestamp": "2026-01-01T00:00:00.000Z",
                "features": ["interactive UI", "bidirectional communication", "theme support"],
                "stats": { "version": env!("CARGO_PKG_VERSION"), "requestCount": count },
            })
        );
        let said = "If this client supports MCP Apps, an interactive UI should have rendered for the user.";
        assert_eq!(result["content"][0]["text"], said);
        let json = result["content"][1]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), *structured);
        assert_eq!(result["_meta"]["exampleKey"], "exampleValue");
        assert_eq!(result["_meta"]["processed"], true);
        let schema = &seen_by(&mut client).await["outputSchema"];
        assert!(jsonschema::draft202012::is_valid(schema, structured), "{structured}: {schema}");
    }
}
