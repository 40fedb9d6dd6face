//! Only the connections that hear what others say are cut, again and again. They only ring: what
//! must not be lost is in keys.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::it::support::{Deployment, Mcp, Server, Stream, call};

const EVERY: Duration = Duration::from_millis(300);
const ROUNDS: usize = 30;

/// Questions answered elsewhere, changes made elsewhere and calls, while connections are cut.
async fn use_it(server: &Server) {
    let client = Mcp::of(server, "alice").await;
    let clients = [0, 1, 2].map(|instance| client.at(server, instance));
    for round in 0..ROUNDS {
        let [asking, answering, listening] = [0, 1, 2].map(|at| &clients[(round + at) % 3]);
        let mut stream = Stream::of(listening.get(None).await);
        let asked = call(1, "sampleLLM", &json!({ "prompt": "x" }));
        let mut sampling = Stream::of(asking.send(&asked).await);
        let asked = sampling.until("sampling/createMessage").await;
        let text = json!({ "type": "text", "text": "real" });
        let result = json!({ "role": "assistant", "model": "m", "content": text });
        let reply = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
        assert_eq!(answering.post(&reply).await.status, StatusCode::ACCEPTED);
        let answer = sampling.last().await;
        assert_eq!(answer["result"]["content"][0]["text"], "LLM sampling result: real");

        answering.post(&call(1, "test_trigger_tool_change", &json!({}))).await;
        stream.until("notifications/tools/list_changed").await;

        let long = json!({ "duration": 600, "steps": 1000 });
        let mut running = Stream::of(asking.send(&call(5, "longRunningOperation", &long)).await);
        running.until("notifications/progress").await;
        let cancel = json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 5 }
        });
        answering.post(&cancel).await;
        while running.next().await.is_some() {}
        answering.is_served().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_no_request_fails() {
    let on = Deployment::three_on_redis();
    let server = on.with(&[("CONFORMANCE", "on")]);
    let stop = CancellationToken::new();
    let mut cut = 0;
    let cutting = async {
        while stop.run_until_cancelled(sleep(EVERY)).await.is_some() {
            let killed = on.redis_cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
            cut += killed.trim().parse::<usize>().unwrap();
        }
    };
    let using = async {
        use_it(&server).await;
        stop.cancel();
    };
    tokio::join!(cutting, using);
    println!("{ROUNDS} rounds of everything while {cut} pub/sub connections were cut");
    assert!(cut > ROUNDS, "something was cut");
}
