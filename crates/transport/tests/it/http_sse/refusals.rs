//! What is refused in HTTP: everything that nobody waits for on the stream.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::client::{Sse, endpoints, ping};
use crate::support::{Answer, Cluster, call, owner, soon};

type Change = fn(http::request::Builder) -> http::request::Builder;

#[tokio::test]
async fn every_refusal_of_a_message_is_json_rpc() {
    let cluster = Cluster::of(1).await;
    let client = Sse::connect(&cluster).await;
    let ping = &ping(1).to_string();
    let table: &[(Change, &str, u16, i64)] = &[
        (|r| r.header("origin", "http://evil.example.com"), ping, 403, -32600),
        (|r| r.header("host", "evil.example.com"), ping, 403, -32600),
        (|r| r.method(Method::GET), ping, 405, -32600),
        (|r| r.method(Method::DELETE), ping, 405, -32600),
        (|r| r.uri("/message"), ping, 400, -32600),
        (|r| r.uri("/message?session=x"), ping, 400, -32600),
        (|r| r.uri("/message?sessionId="), ping, 404, -32001),
        (|r| r.uri("/message?sessionId=../../etc/passwd"), ping, 404, -32001),
        (|r| r.uri("/message?sessionId=00000000-0000-4000-8000-000000000000"), ping, 404, -32001),
        (|r| r, "", 400, -32700),
        (|r| r, "{", 400, -32700),
        (|r| r, "[", 400, -32700),
        (|r| r, "7", 400, -32600),
        (|r| r, r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, 400, -32600),
        (|r| r, r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600),
    ];
    for (change, body, status, code) in table {
        let request = change(client.posting()).body(Body::from((*body).to_owned())).unwrap();
        client.send(request).await.is_refused(*status, *code);
    }
    let mut request = client.posting().body(ping.clone().into()).unwrap();
    request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    client.send(request).await.is_refused(415, -32600);
    let large = client.posting().body("x".repeat((4 << 20) + 1).into()).unwrap();
    client.send(large).await.is_refused(413, -32600);
}

#[tokio::test]
async fn the_stream_is_opened_by_a_get_that_takes_one() {
    let cluster = Cluster::of(1).await;
    for (method, accept, status) in [
        (Method::POST, "text/event-stream", 405),
        (Method::DELETE, "text/event-stream", 405),
        (Method::GET, "application/json", 406),
    ] {
        let request = Request::builder()
            .method(method)
            .uri("/sse")
            .header("host", "localhost")
            .header("accept", accept)
            .extension(owner("alice"))
            .body(Body::empty())
            .unwrap();
        let answer = endpoints(&cluster, 0).stream.handle(request).await;
        Answer::of(answer).await.is_refused(status, -32600);
    }
    let request = Request::get("/sse").header("host", "localhost").body(Body::empty()).unwrap();
    let answer = endpoints(&cluster, 0).stream.handle(request).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "nobody said who calls");
}

#[tokio::test]
async fn somebody_elses_session_is_an_unknown_one() {
    let cluster = Cluster::of(3).await;
    let mut alice = Sse::connect(&cluster).await;
    let bob = Sse::connect_as(&cluster, "bob", "2024-11-05").await;
    let into = |uri: String, message: &Value| {
        let mut request = bob.posting().body(message.to_string().into()).unwrap();
        *request.uri_mut() = uri.parse().unwrap();
        request
    };
    let hers = alice.url().to_owned();
    let unknown = hers.replace(alice.session(), "00000000-0000-4000-8000-000000000000");
    alice.accepted(&call(1, "ask")).await;
    let asked = alice.message().await["id"].clone();
    for message in [
        ping(7),
        call(7, "echo"),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}),
        json!({"jsonrpc": "2.0", "id": asked, "result": {}}),
        json!({"jsonrpc": "2.0", "id": asked, "error": {"code": 1, "message": ""}}),
        json!([ping(7)]),
    ] {
        let foreign = bob.send(into(hers.clone(), &message)).await;
        foreign.is_refused(404, -32001);
        let unknown = bob.send(into(unknown.clone(), &message)).await;
        assert_eq!((unknown.status, unknown.body), (foreign.status, foreign.body));
    }

    // Her event's id leads him to a session of his own.
    let his = Sse::back_as(&cluster, owner("bob"), None, alice.last.as_deref(), 1).await;
    assert_ne!(his.session(), alice.session());
    alice.accepted(&json!({"jsonrpc": "2.0", "id": asked, "result": {}})).await;
    assert_eq!(alice.text().await, "answered");
}

#[tokio::test]
async fn a_message_to_a_store_that_is_away_is_refused_and_comes_to_nothing() {
    let cluster = Cluster::of(1).await;
    let mut client = Sse::connect(&cluster).await;
    for operation in ["admit", "holder", "open_call"] {
        cluster.store.break_down(operation);
        client.post(&call(1, "echo")).await.is_refused(503, -32603);
        cluster.store.mend(operation);
    }
    cluster.store.break_down("create");
    let request = Request::get("/sse")
        .header("host", "localhost")
        .extension(owner("alice"))
        .body(Body::empty())
        .unwrap();
    let answer = soon(endpoints(&cluster, 0).stream.handle(request)).await;
    Answer::of(answer).await.is_refused(503, -32603);
    client.accepted(&call(2, "echo")).await;
    assert_eq!(client.message().await["id"], 2);
}
