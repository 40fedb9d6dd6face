use axum::{body::Body, response::Response};
use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Cluster};

fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    })
}

/// A call as a client of this wire sends it.
pub(crate) async fn call(client: &Client<'_>, tool: &str) -> Response {
    let mut meta = meta();
    meta["progressToken"] = json!("p");
    open(client, "tools/call", Some(tool), json!({ "name": tool, "_meta": meta })).await
}

async fn post(client: &Client<'_>, method: &str, name: Option<&str>, params: Value) -> Answer {
    Answer::of(open(client, method, name, params).await).await
}

async fn open(client: &Client<'_>, method: &str, name: Option<&str>, params: Value) -> Response {
    let mut request = client
        .request(Method::POST)
        .header("content-type", "application/json")
        .header("accept", "*/*")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(name) = name {
        request = request.header("mcp-name", name);
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    client.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_request_for_itself_needs_no_session() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let discovered = post(&client, "server/discover", None, json!({ "_meta": meta() })).await;
    let versions = discovered.body["result"]["supportedVersions"].as_array().unwrap().clone();
    assert!(versions.contains(&json!("2026-07-28")), "{discovered:?}");
    let params = json!({ "name": "echo", "_meta": meta() });
    let answer = post(&client, "tools/call", Some("echo"), params).await;
    answer.says("echo");
    assert_eq!(answer.body["result"]["resultType"], "complete");
    assert!(!answer.headers.contains_key("mcp-session-id"));
    assert!(cluster.store.inner.is_empty());
}

#[tokio::test]
async fn what_the_stateless_wire_has_not_is_not_found() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    for (method, name) in [
        ("initialize", None),
        ("ping", None),
        ("resources/subscribe", Some("test://x")),
        ("logging/setLevel", None),
        ("no/such/method", None),
    ] {
        let params = json!({ "uri": "test://x", "_meta": meta() });
        let answer = post(&client, method, name, params).await;
        answer.is_refused(404, -32601);
        assert_eq!(answer.body["id"], 1);
    }
    for method in [Method::GET, Method::DELETE] {
        let request = client
            .request(method)
            .header("accept", "text/event-stream")
            .header("mcp-protocol-version", "2026-07-28");
        let answer = Answer::of(client.send(request.body(Body::empty()).unwrap()).await).await;
        answer.is_refused(405, -32600);
        assert_eq!(answer.headers["allow"], "POST");
    }
}

#[tokio::test]
async fn wrong_parameters_and_panics_are_answered() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let wrong = post(&client, "tools/call", Some("echo"), json!({ "_meta": meta() })).await;
    wrong.is_refused(200, -32602);
    assert!(wrong.body["error"]["message"].as_str().unwrap().contains("name"), "{wrong:?}");
    let cursor = json!({ "cursor": 5, "_meta": meta() });
    post(&client, "tools/list", None, cursor).await.is_refused(200, -32602);
    let params = json!({ "name": "panic", "_meta": meta() });
    post(&client, "tools/call", Some("panic"), params).await.is_refused(200, -32603);
}

#[tokio::test]
async fn header_and_body_must_agree() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let params = json!({ "name": "echo", "_meta": meta() });
    post(&client, "tools/call", Some("panic"), params).await.is_refused(400, -32020);
    post(&client, "tools/list", None, json!({})).await.is_refused(400, -32602);
}
