//! When the tools are there at all.

use mcp_everything_features::FAULT_TOOLS;
use serde_json::{Value, json};

use super::{Caller, open};
use crate::support::{Deployment, Mcp, Server};

on_every_deployment!(without_the_setting_no_such_name_is_known, who_else_is_there_is_not_harmed);

/// The names of all tools.
pub(super) async fn tools(mcp: &Mcp) -> Vec<Value> {
    let (mut tools, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let params = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params });
        let mut page = mcp.post(&list).await.body;
        tools.extend(page["result"]["tools"].as_array().unwrap().iter().cloned());
        cursor = page["result"]["nextCursor"].take();
        if cursor.is_null() {
            return tools;
        }
    }
}

async fn without_the_setting_no_such_name_is_known(on: &Deployment) {
    let server = on.open();
    let caller = Caller::with_session(&server).await;
    let tools = tools(&caller.mcp).await;
    assert!(tools.iter().all(|tool| !tool["name"].as_str().unwrap().starts_with("fault")));
    for name in FAULT_TOOLS {
        let heard = caller.call(name, json!({ "kind": "killed" })).await;
        assert_eq!(heard.answer()["error"]["code"], -32602, "{name}");
    }
}

/// Another session of the same server, in the middle of a call of its own, notices nothing.
async fn who_else_is_there_is_not_harmed(on: &Deployment) {
    let server = open(on);
    let (caller, other) =
        (Caller::with_session(&server).await, Caller::with_session(&server).await);
    let long = json!({ "duration": 1, "steps": 20 });
    let calling = other.call("longRunningOperation", long);
    let misbehaving = async {
        for kind in ["cut", "cutForGood", "noAnswer", "gap"] {
            caller.call("faultStream", json!({ "kind": kind })).await;
        }
        caller.call("faultInstance", json!({})).await;
        caller.call("faultHttp", json!({ "status": 404 })).await;
    };
    let (heard, ()) = tokio::join!(calling, misbehaving);
    assert_eq!(heard.messages().len(), 21, "each progress, and the answer");
    assert!(heard.answer()["result"]["content"][0]["text"].is_string());
}

#[tokio::test]
async fn the_start_says_that_they_are_on() {
    let server = Server::with(&[("FAULT_TOOLS", "on")]);
    let told = server.logged("faults.on");
    assert!(!told["message"].as_str().unwrap().contains("not loopback"), "{told}");
    let public = Server::with(&[("FAULT_TOOLS", "on"), ("HOST", "0.0.0.0")]);
    let told = public.logged("faults.on");
    assert!(told["message"].as_str().unwrap().contains("not loopback"), "{told}");
}
