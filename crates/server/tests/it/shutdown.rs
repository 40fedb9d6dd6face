//! Going away.

use std::process::ExitStatus;

use serde_json::json;

use crate::support::{Deployment, Mcp, Server, Stream};

on_every_deployment!(
    a_running_call_finishes_and_streams_end,
    what_takes_too_long_is_cut_and_said_to_be,
);

async fn a_running_call_finishes_and_streams_end(on: &Deployment) {
    let mut server = on.open();
    let client = Mcp::anonymous(&server).await;
    let mut stream = Stream::of(client.get(None).await);
    let operation = json!({ "duration": 1, "steps": 4 });
    let call = json!({
        "jsonrpc": "2.0", "id": 5, "method": "tools/call",
        "params": {
            "name": "longRunningOperation", "arguments": operation, "_meta": { "progressToken": 5 }
        }
    });
    let mut calling = Stream::of(client.send(&call).await);
    calling.next().await.unwrap();
    server.signal("-TERM");
    while stream.next().await.is_some() {}
    assert!(stream.retry.is_some(), "it says when to come back");
    let last = calling.last().await;
    assert_eq!(last["id"], 5, "the call finished: {last}");
    assert_eq!(server.wait(), ExitStatus::default());
    server.logged("server.stopped");
}

async fn what_takes_too_long_is_cut_and_said_to_be(on: &Deployment) {
    let mut server = on.with(&[("AUTH_MODE", "none"), ("DRAIN_TIMEOUT", "100ms")]);
    let client = Mcp::anonymous(&server).await;
    let _stream = Stream::of(client.get(None).await);
    let operation = json!({ "duration": 3600, "steps": 1 });
    let call = json!({
        "jsonrpc": "2.0", "id": 5, "method": "tools/call",
        "params": { "name": "longRunningOperation", "arguments": operation }
    });
    let mut calling = Stream::of(client.send(&call).await);
    server.signal("-TERM");
    let told = calling.next().await.unwrap();
    assert_eq!(told["id"], 5);
    assert_eq!(told["result"]["isError"], true, "the tool says that it did not finish: {told}");
    assert_eq!(server.wait(), ExitStatus::default());
    server.logged("shutdown.calls_cut");
}

#[tokio::test]
async fn ctrl_c_ends_an_idle_server() {
    let mut server = Server::start();
    assert!(server.is_running());
    server.signal("-INT");
    assert_eq!(server.wait(), ExitStatus::default());
}
