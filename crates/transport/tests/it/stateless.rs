//! Revisions without sessions.

use std::{convert::Infallible, time::Duration};

use axum::{body::Body, response::Response};
use http::{Method, StatusCode};
use mcp_everything_store::{Access, Bell, Bus as _, Clock as _, Ring, oauth::GrantId};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::support::{Answer, Client, Cluster, Events};

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
    let mut headers = vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
    headers.extend(name.map(|name| ("mcp-name", name)));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    with_headers(client, &headers, &body).await
}

async fn with_headers(client: &Client<'_>, headers: &[(&str, &str)], body: &Value) -> Response {
    let mut request = client
        .request(Method::POST)
        .header("content-type", "application/json")
        .header("accept", "*/*");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
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
    // A handshake is none, whatever version it names.
    let mut meta = meta();
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2025-11-25");
    let params = json!({ "protocolVersion": "2025-11-25", "_meta": meta });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let headers = [("mcp-protocol-version", "2025-11-25")];
    let answer = Answer::of(with_headers(&client, &headers, &body).await).await;
    answer.is_refused(404, -32601);
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

#[tokio::test]
async fn what_a_request_must_say_of_itself() {
    const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    for (told, meta, code, named) in [
        (Some("2026-07-28"), json!({}), -32602, VERSION),
        (Some("2026-07-28"), json!({ VERSION: "2026-07-28" }), -32602, CAPABILITIES),
        (Some("2026-07-28"), json!({ VERSION: 7, CAPABILITIES: {} }), -32602, VERSION),
        (
            Some("2026-07-28"),
            json!({ VERSION: "2026-07-28", CAPABILITIES: 7 }),
            -32602,
            CAPABILITIES,
        ),
        (None, json!({ VERSION: "2026-07-28", CAPABILITIES: {} }), -32020, "missing"),
        (
            Some("2025-11-25"),
            json!({ VERSION: "2026-07-28", CAPABILITIES: {} }),
            -32020,
            "2025-11-25",
        ),
        (
            Some("2099-01-01"),
            json!({ VERSION: "2099-01-01", CAPABILITIES: {} }),
            -32022,
            "2099-01-01",
        ),
        // What else is wrong with it is the next question.
        (Some("2099-01-01"), json!({ VERSION: "2099-01-01" }), -32022, "2099-01-01"),
    ] {
        for method in ["tools/list", "server/discover"] {
            let mut headers = vec![("mcp-method", method)];
            headers.extend(told.map(|told| ("mcp-protocol-version", told)));
            let params = json!({ "_meta": meta });
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let answer = Answer::of(with_headers(&client, &headers, &body).await).await;
            answer.is_refused(400, code);
            assert_eq!(answer.body["id"], 1);
            let said = answer.body["error"].to_string();
            assert!(said.contains(named), "{told:?} {meta}: {said}");
        }
    }
}

/// What else a request of another version has may be of another form.
#[tokio::test]
async fn a_version_that_is_not_spoken_is_said_first() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let mut meta = meta();
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    for (method, params) in [
        ("tools/call", json!({ "_meta": meta })),
        ("tools/list", json!({ "cursor": {}, "_meta": meta })),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let headers = [("mcp-protocol-version", "2099-01-01")];
        let answer = Answer::of(with_headers(&client, &headers, &body).await).await;
        answer.is_refused(400, -32022);
        let supported = answer.body["error"]["data"]["supported"].as_array().unwrap();
        assert!(supported.contains(&json!("2026-07-28")), "{answer:?}");
    }
}

#[tokio::test]
async fn a_version_is_named_once() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let params = json!({ "_meta": meta() });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-method", "tools/list"),
    ];
    let answer = Answer::of(with_headers(&client, &headers, &body).await).await;
    answer.is_refused(400, -32020);
}

#[tokio::test]
async fn headers_must_repeat_the_arguments_that_the_tool_says() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let call = async |to: Option<&str>, told: Option<&str>| {
        let mut headers = vec![
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "echo"),
        ];
        headers.extend(told.map(|told| ("mcp-param-to", told)));
        let params = json!({ "name": "echo", "arguments": { "to": to }, "_meta": meta() });
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        Answer::of(with_headers(&client, &headers, &body).await).await
    };
    call(Some("bob"), Some("bob")).await.says("echo");
    call(None, None).await.says("echo");
    for (to, told) in [(Some("bob"), None), (Some("bob"), Some("eve")), (None, Some("eve"))] {
        call(to, told).await.is_refused(400, -32020);
    }
}

#[tokio::test]
async fn an_error_that_is_the_first_word_says_so_in_the_status() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    Answer::of(call(&client, "cannot").await).await.is_refused(400, -32021);
    Answer::of(call(&client, "no such tool").await).await.is_refused(200, -32602);
}

#[tokio::test]
async fn notifications_are_accepted_and_answers_are_not() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let method = "notifications/roots/list_changed";
    let version = ("mcp-protocol-version", "2026-07-28");
    let notification = json!({ "jsonrpc": "2.0", "method": method });
    let accepted = with_headers(&client, &[version, ("mcp-method", method)], &notification).await;
    let accepted = Answer::of(accepted).await;
    assert_eq!((accepted.status, accepted.body), (StatusCode::ACCEPTED, Value::Null));
    for headers in [&[version][..], &[version, ("mcp-method", "notifications/cancelled")]] {
        let refused = Answer::of(with_headers(&client, headers, &notification).await).await;
        refused.is_refused(400, -32020);
    }
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    let refused = Answer::of(with_headers(&client, &[version], &answer).await).await;
    refused.is_refused(400, -32600);
}

#[tokio::test]
async fn what_is_said_before_the_answer_comes_on_a_stream() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let said = Events::of(call(&client, "progress").await).rest().await;
    let progress: Vec<_> = said[..3].iter().map(|message| &message["params"]["progress"]).collect();
    assert_eq!(progress, [1.0, 2.0, 3.0]);
    assert_eq!(said[3]["result"]["content"][0]["text"], "done");
    assert_eq!(said.len(), 4);
}

/// "Closing the SSE response stream MUST be treated by the server as cancellation of that request."
#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_has_cancelled() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    tokio::select! {
        _ = call(&client, "gate") => panic!("nothing lets it pass"),
        () = cluster.sees("gate.waits") => {}
    }
    cluster.sees("gate.cancelled").await;
    // What does not notice is dropped.
    tokio::select! {
        _ = call(&client, "deaf") => panic!("it never answers"),
        () = cluster.sees("deaf.waits") => {}
    }
    cluster.sees("deaf.dropped").await;
}

#[tokio::test]
async fn a_stream_that_is_closed_has_cancelled() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let mut stream = Events::of(call(&client, "progress and gate").await);
    stream.message().await;
    cluster.sees("gate.waits").await;
    stream.close();
    cluster.sees("gate.cancelled").await;
}

#[tokio::test]
async fn a_revoked_grant_ends_what_was_begun_with_it() {
    const GRANT: GrantId = GrantId::from_bytes([7; 16]);
    let cluster = Cluster::of(1).await;
    let until = cluster.clock.now() + Duration::from_secs(3600);
    let access = Some(Access { until, grant: GRANT });
    let client = Client { access, ..Client::new(&cluster, "alice") };
    // One that says something, one that does so to a client that does not read, one that says
    // nothing, and one that listens.
    let mut streaming = Events::of(call(&client, "progress and gate").await);
    streaming.message().await;
    cluster.sees("gate.waits").await;
    let _unread = call(&client, "progress and gate").await;
    cluster.sees("gate.waits").await;
    let params = json!({ "notifications": { "toolsListChanged": true }, "_meta": meta() });
    let mut listening = Events::of(open(&client, "subscriptions/listen", None, params).await);
    listening.message().await;
    let revoke = async {
        cluster.sees("gate.waits").await;
        cluster.bus.ring(Ring::All, Bell::Revoked(GRANT)).await.unwrap();
    };
    let (cut, ()) = tokio::join!(call(&client, "gate"), revoke);
    Answer::of(cut).await.is_refused(200, -32603);
    cluster.sees("gate.cancelled").await;
    assert_eq!(streaming.rest().await, Vec::<Value>::new());
    for _ in 0..2 {
        cluster.sees("gate.cancelled").await;
    }
    assert_eq!(listening.rest().await, Vec::<Value>::new());
}

/// However long its body took to come.
#[tokio::test(start_paused = true)]
async fn a_grant_that_is_revoked_while_a_request_comes_ends_its_call() {
    const GRANT: GrantId = GrantId::from_bytes([7; 16]);
    let cluster = Cluster::of(1).await;
    let until = cluster.clock.now() + Duration::from_secs(3600);
    let access = Some(Access { until, grant: GRANT });
    let client = Client { access, ..Client::new(&cluster, "alice") };
    let params = json!({ "name": "gate", "_meta": meta() });
    let text = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let (body, pieces) = mpsc::channel::<Result<String, Infallible>>(1);
    let request = client
        .request(Method::POST)
        .header("content-type", "application/json")
        .header("accept", "*/*")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "gate");
    let request = request.body(Body::from_stream(ReceiverStream::new(pieces))).unwrap();
    let revoke = async {
        body.send(Ok(" ".to_owned())).await.unwrap();
        cluster.bus.ring(Ring::All, Bell::Revoked(GRANT)).await.unwrap();
        // Nobody remembers it for so long.
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            body.send(Ok(" ".to_owned())).await.unwrap();
        }
        body.send(Ok(text.to_string())).await.unwrap();
        drop(body);
    };
    let bound = Duration::from_secs(300);
    let answering = tokio::time::timeout(bound, cluster.instances[0].handle(request));
    let (cut, ()) = tokio::join!(answering, revoke);
    Answer::of(cut.expect("its call ends")).await.is_refused(200, -32603);
}

/// "The server MUST NOT send independent JSON-RPC requests on this stream."
#[tokio::test]
async fn nobody_is_asked_anything() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    Answer::of(call(&client, "ask elsewhere").await).await.says("refused");
    // A version with sessions has such requests, but their answers are sent into a session.
    let mut meta = meta();
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2025-11-25");
    let params = json!({ "name": "ask elsewhere", "_meta": meta });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let headers = [("mcp-protocol-version", "2025-11-25")];
    Answer::of(with_headers(&client, &headers, &body).await).await.says("refused");
}
