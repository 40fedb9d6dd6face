//! What one client changes, all clients hear of: on every wire, and when they come back.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Deployment, Mcp, Server, Stream, soon};

/// A client of the wire without sessions, which listens for changes of tools and prompts.
async fn listener(server: &Server) -> Stream {
    let listen = json!({
        "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
        "params": {
            "notifications": { "toolsListChanged": true, "promptsListChanged": true },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {}
            }
        }
    });
    let request = Mcp::new(server)
        .request(Method::POST)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "subscriptions/listen")
        .json(&listen);
    let mut stream = Stream::of(soon(request.send()).await.unwrap());
    stream.until("notifications/subscriptions/acknowledged").await;
    stream
}

on_every_deployment!(every_client_hears_of_a_change);

async fn every_client_hears_of_a_change(on: &Deployment) {
    let server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let (here, away) = (Mcp::anonymous(&server).await, Mcp::anonymous(&server).await);
    let mut stream = Stream::of(here.get(None).await);
    let mut listener = listener(&server).await;
    for (tool, told) in [
        ("test_trigger_tool_change", "notifications/tools/list_changed"),
        ("test_trigger_prompt_change", "notifications/prompts/list_changed"),
    ] {
        assert_eq!(here.call(tool, json!({})).await.text(), "Listeners were told");
        stream.until(told).await;
        listener.until(told).await;
    }
    let mut late = Stream::of(away.get(None).await);
    late.until("notifications/tools/list_changed").await;
    late.until("notifications/prompts/list_changed").await;
    // A session that begins now has read what there is.
    let new = Mcp::anonymous(&server).await;
    let mut stream = Stream::of(new.get(None).await);
    here.call("test_trigger_prompt_change", json!({})).await;
    let first = loop {
        let message = stream.next().await.unwrap();
        if message["method"].as_str().is_some_and(|method| method.ends_with("list_changed")) {
            break message;
        }
    };
    let expected: Value =
        json!({ "jsonrpc": "2.0", "method": "notifications/prompts/list_changed" });
    assert_eq!(first, expected);
}
