//! One client at the standard streams: what is on them, line by line.

use serde_json::{Value, json};

use crate::support::Piped;

mod lines;
mod shutdown;
mod stateful;
mod stateless;

fn request(id: i64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn call(id: i64, tool: &str, arguments: &Value) -> Value {
    request(id, "tools/call", &json!({ "name": tool, "arguments": arguments }))
}

fn notification(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

/// The same message of a client of 2026-07-28 with these capabilities.
fn alone(mut message: Value, capabilities: &Value) -> Value {
    let meta = &mut message["params"]["_meta"];
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    meta["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
    message
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// A server with a session.
fn begun(version: &str, capabilities: &Value) -> Piped {
    let mut server = Piped::start();
    let answer = server.initialize(version, capabilities);
    assert_eq!(answer["result"]["protocolVersion"], version, "{answer}");
    server
}
