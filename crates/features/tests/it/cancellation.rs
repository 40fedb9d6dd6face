//! Calls that are cancelled.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Raw, all, everything};

fn cancel(id: u64) -> Value {
    let params = json!({ "requestId": id, "reason": "enough" });
    json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params })
}

#[tokio::test(start_paused = true)]
async fn a_long_operation_stops() {
    for mut client in [
        Raw::stateful(&everything(), "2025-11-25", json!({})).await.in_paused_time(),
        Raw::stateless(&everything(), json!({})).in_paused_time(),
    ] {
        let params = json!({
            "name": "longRunningOperation",
            "arguments": { "duration": 3600, "steps": 1000 },
            "_meta": { "progressToken": 7 },
        });
        let id = client.ask("tools/call", params).await;
        let report = client.receive().await;
        assert_eq!(report["params"]["progress"], 1.0);
        client.send(cancel(id)).await;
        client.settle().await;
        tokio::time::sleep(Duration::from_secs(7200)).await;
        assert!(client.settle().await.is_empty());
    }
}

#[tokio::test]
async fn a_question_is_withdrawn_with_the_call_that_asked() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", all()).await;
    for (tool, arguments) in [
        ("sampleLLM", json!({ "prompt": "x" })),
        ("elicitInputs", json!({})),
        ("getRootsList", json!({})),
    ] {
        let params = json!({ "name": tool, "arguments": arguments });
        let id = client.ask("tools/call", params).await;
        let question = client.asked().await;
        client.send(cancel(id)).await;
        let withdrawn = client.receive().await;
        assert_eq!(withdrawn["method"], "notifications/cancelled", "{tool}");
        assert_eq!(withdrawn["params"]["requestId"], question["id"], "{tool}");
        // An answer that comes all the same is nobody's.
        client.reply(&question, json!({})).await;
        assert!(client.settle().await.is_empty(), "{tool}");
    }
}
