use axum::body::Body;
use http::{Method, Request};

use crate::support::{Answer, Client, Cluster};

type Change = fn(http::request::Builder) -> http::request::Builder;

async fn refused(
    client: &Client<'_>,
    method: Method,
    change: Change,
    body: &'static str,
) -> Answer {
    let mut request = change(client.request(method)).body(Body::from(body)).unwrap();
    let defaults: [(&'static str, &'static str); 2] =
        [("accept", "application/json, text/event-stream"), ("content-type", "application/json")];
    for (name, value) in defaults {
        if !request.headers().contains_key(name) {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    Answer::of(client.send(request).await).await
}

fn with_host(request: http::request::Builder, host: &str) -> http::request::Builder {
    let mut request = request;
    if let Some(headers) = request.headers_mut() {
        headers.insert("host", host.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn every_refusal_is_json_rpc() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let table: &[(Method, Change, &str, u16, i64)] = &[
        (Method::POST, |r| with_host(r, "evil.example.com"), ping, 403, -32600),
        (Method::POST, |r| r.header("origin", "http://evil.example.com"), ping, 403, -32600),
        (Method::POST, |r| r.header("origin", "null"), ping, 403, -32600),
        (Method::PUT, |r| r, ping, 405, -32600),
        (Method::PATCH, |r| r, ping, 405, -32600),
        (Method::POST, |r| r.header("accept", "application/json"), ping, 406, -32600),
        (Method::POST, |r| r.header("accept", "text/html"), ping, 406, -32600),
        (Method::GET, |r| r.header("accept", "application/json"), "", 406, -32600),
        (Method::POST, |r| r.header("content-type", "text/plain"), ping, 415, -32600),
        (Method::POST, |r| r, "", 400, -32700),
        (Method::POST, |r| r, "{", 400, -32700),
        (Method::POST, |r| r, "[", 400, -32700),
        (Method::POST, |r| r, "7", 400, -32600),
        (Method::POST, |r| r, r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, 400, -32600),
        (Method::POST, |r| r, r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600),
        (Method::POST, |r| r.header("mcp-protocol-version", "1999-01-01"), ping, 400, -32022),
        (Method::GET, |r| r.header("mcp-protocol-version", "1999-01-01"), "", 400, -32022),
        (Method::DELETE, |r| r.header("mcp-protocol-version", "1999-01-01"), "", 400, -32022),
    ];
    for (method, change, body, status, code) in table {
        let answer = refused(&client, method.clone(), *change, body).await;
        answer.is_refused(*status, *code);
        assert_eq!(answer.body["jsonrpc"], "2.0");
        assert_eq!(answer.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_request_without_a_session_says_what_to_do() {
    let cluster = Cluster::of(1).await;
    let client = Client::new(&cluster, "alice");
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for (method, body) in [(Method::POST, ping), (Method::GET, ""), (Method::DELETE, "")] {
        let answer = refused(&client, method, |r| r, body).await;
        answer.is_refused(400, -32600);
        assert!(answer.body["error"]["message"].as_str().unwrap().contains("Mcp-Session-Id"));
    }
    for id in ["nonsense", "00000000-0000-4000-8000-000000000000", "../../etc"] {
        let client = Client { session: Some(id.into()), ..client.clone() };
        for (method, body) in [(Method::POST, ping), (Method::GET, ""), (Method::DELETE, "")] {
            refused(&client, method, |r| r, body).await.is_refused(404, -32001);
        }
    }
}

#[tokio::test]
async fn a_large_body_is_refused_whatever_its_headers_say() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let large = "x".repeat((4 << 20) + 1);
    let chunked = Body::from_stream(futures::stream::iter(
        large
            .into_bytes()
            .chunks(1 << 16)
            .map(|c| Ok::<_, std::io::Error>(c.to_vec()))
            .collect::<Vec<_>>(),
    ));
    let request: Request<Body> = client
        .request(Method::POST)
        .header("accept", "*/*")
        .header("content-type", "application/json")
        .body(chunked)
        .unwrap();
    Answer::of(client.send(request).await).await.is_refused(413, -32600);
}
