//! Log messages, and who wants them.

use mcp_everything_features::{Call, CallError, Definition, Everything, NoInput, Tool, text};
use rmcp::model::{CallToolResult, LoggingLevel};
use serde_json::{Value, json};

use crate::support::{Raw, everything, options};

const LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Logs one message of each level.
struct Chatter;

impl Tool for Chatter {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new("chatter", "Chatter", "Logs")
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        for name in LEVELS {
            let level: LoggingLevel = serde_json::from_value(json!(name)).unwrap();
            call.log(level, "chatter", json!({ "said": name })).await?;
        }
        Ok(text("done"))
    }
}

fn chattering() -> Everything {
    Everything::new(options().with_tool(Chatter)).unwrap()
}

/// The levels of the messages sent during a call.
async fn heard(client: &mut Raw, meta: Value) -> Vec<String> {
    client.asides.clear();
    let answer = client.request("tools/call", json!({ "name": "chatter", "_meta": meta })).await;
    assert_eq!(answer["result"]["content"][0]["text"], "done", "{answer}");
    let levels = client.asides.iter().map(|message| {
        assert_eq!(message["method"], "notifications/message");
        assert_eq!(message["params"]["logger"], "chatter");
        assert_eq!(message["params"]["data"]["said"], message["params"]["level"]);
        message["params"]["level"].as_str().unwrap().to_owned()
    });
    levels.collect()
}

#[tokio::test]
async fn a_session_hears_its_level_and_worse() {
    let mut client = Raw::stateful(&chattering(), "2025-11-25", json!({})).await;
    assert_eq!(heard(&mut client, json!({})).await, LEVELS);
    for (index, level) in LEVELS.into_iter().enumerate() {
        let answer = client.request("logging/setLevel", json!({ "level": level })).await;
        assert_eq!(answer["result"], json!({}));
        assert_eq!(heard(&mut client, json!({})).await, LEVELS[index..]);
    }
    // The level of a request is nothing the stateful revisions know.
    let meta = json!({ "io.modelcontextprotocol/logLevel": "debug" });
    assert_eq!(heard(&mut client, meta).await, LEVELS[7..]);
}

#[tokio::test]
async fn a_set_level_is_confirmed_whatever_the_level() {
    let mut client = Raw::stateful(&everything(), "2025-06-18", json!({})).await;
    for level in ["emergency", "warning"] {
        client.request("logging/setLevel", json!({ "level": level })).await;
        let confirmation = client.asides.pop().unwrap();
        assert_eq!(confirmation["method"], "notifications/message");
        assert_eq!(
            confirmation["params"],
            json!({
                "level": "debug",
                "logger": "test-server",
                "data": format!("Logging level set to: {level}"),
            })
        );
    }
}

#[tokio::test]
async fn a_request_of_2026_07_28_hears_what_it_asks_for() {
    let mut client = Raw::stateless(&chattering(), json!({}));
    assert!(heard(&mut client, json!({})).await.is_empty());
    for (index, level) in LEVELS.into_iter().enumerate() {
        let meta = json!({ "io.modelcontextprotocol/logLevel": level });
        assert_eq!(heard(&mut client, meta).await, LEVELS[index..]);
    }
    assert!(heard(&mut client, json!({})).await.is_empty());
}

#[tokio::test]
async fn a_level_that_is_none_is_refused() {
    let mut client = Raw::stateless(&everything(), json!({}));
    for (method, params) in [
        ("tools/call", json!({ "name": "echo", "arguments": { "message": "x" } })),
        ("tools/list", json!({})),
        ("prompts/get", json!({ "name": "simple_prompt" })),
        ("resources/read", json!({ "uri": "test://static/resource/1" })),
    ] {
        let mut params = params;
        params["_meta"] = json!({ "io.modelcontextprotocol/logLevel": "loud" });
        let answer = client.request(method, params).await;
        assert_eq!(answer["error"]["code"], -32602, "{method}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("logLevel"), "{method}");
    }
}

#[tokio::test]
async fn set_level_is_gone_on_2026_07_28() {
    let mut client = Raw::stateless(&everything(), json!({}));
    client.request("server/discover", json!({})).await;
    let answer = client.request("logging/setLevel", json!({ "level": "info" })).await;
    assert_eq!(answer["error"]["code"], -32601);
    assert!(client.asides.is_empty());
}
