//! Requests that are held before their callers are known.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use mcp_everything_store::Limits;
use mcp_everything_transport::Config;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{Answer, Client, Cluster, Events, call};

fn posted(body: impl Into<Body>) -> Request<Body> {
    Request::post("/mcp").body(body.into()).unwrap()
}

fn answer() -> String {
    json!({"jsonrpc": "2.0", "id": "AAAAAAAAAAAAAAAA-0", "result": {}}).to_string()
}

/// What a layer before the endpoint does until it can look a caller up.
async fn knock(cluster: &Cluster, request: &mut Request<Body>, away: Duration) -> Option<Answer> {
    let began = Instant::now();
    while began.elapsed() < away {
        if let Err(answer) = cluster.instances[0].hold(request).await {
            return Some(Answer::of(*answer).await);
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn what_asks_for_something_is_refused_by_its_name() {
    let cluster = Cluster::of(1).await;
    let began = Instant::now();
    for (body, id) in [
        (call(7, "echo").to_string(), json!(7)),
        (json!([call(7, "echo")]).to_string(), Value::Null),
        ("{".to_owned(), Value::Null),
    ] {
        let refused = knock(&cluster, &mut posted(body), Duration::from_secs(10)).await.unwrap();
        refused.is_refused(503, -32603);
        assert_eq!(refused.body.get("id").unwrap_or(&Value::Null), &id);
        assert!(refused.headers.contains_key("retry-after"));
    }
    let mut other = Request::builder().method(Method::PUT).body(Body::empty()).unwrap();
    knock(&cluster, &mut other, Duration::from_secs(10)).await.unwrap().is_refused(503, -32603);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_is_held_with_its_body() {
    let cluster = Cluster::of(1).await;
    let mut request = posted(answer());
    assert!(knock(&cluster, &mut request, Duration::from_secs(10)).await.is_none());
    let body = axum::body::to_bytes(request.into_body(), 1 << 10).await.unwrap();
    assert_eq!(body, answer());
    for method in [Method::GET, Method::DELETE] {
        let mut request = Request::builder().method(method).body(Body::empty()).unwrap();
        assert!(knock(&cluster, &mut request, Duration::from_secs(10)).await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_has_one_time_to_wait_in_all() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let began = Instant::now();
    let mut request = client.request(Method::GET).body(Body::empty()).unwrap();
    assert!(knock(&cluster, &mut request, Duration::from_secs(10)).await.is_none());
    cluster.store.is_away(true);
    Answer::of(client.send(request).await).await.is_refused(503, -32603);
    assert!((14..=15).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());

    let began = Instant::now();
    let mut request = client.request(Method::GET).body(Body::empty()).unwrap();
    let refused = knock(&cluster, &mut request, Duration::from_secs(60)).await.unwrap();
    refused.is_refused(503, -32603);
    assert!((14..=15).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn strangers_have_little_room() {
    let cluster = Cluster::of(1).await;
    let limit = Config::default().max_body_bytes;
    // Each says that its body is as large as it may be.
    let padded = format!("{}{}", answer(), " ".repeat(limit - answer().len()));
    let mut held = Vec::new();
    let refused = loop {
        let mut request = posted(padded.clone());
        let length = padded.len().into();
        request.headers_mut().insert("content-length", length);
        match cluster.instances[0].hold(&mut request).await {
            Ok(()) => held.push(request),
            Err(refused) => break Answer::of(*refused).await,
        }
    };
    refused.is_refused(503, -32603);
    assert_eq!(held.len() * limit, 64 << 20);
    let mut small = posted(answer());
    small.headers_mut().insert("content-length", answer().len().into());
    assert!(cluster.instances[0].hold(&mut small).await.is_err());
    drop(held);
    assert!(cluster.instances[0].hold(&mut small).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_or_does_not_come_is_refused() {
    let config = Config { max_body_bytes: 100, ..Config::default() };
    let cluster = Cluster::with(1, config, Limits::default()).await;
    let mut large = posted("x".repeat(101));
    knock(&cluster, &mut large, Duration::from_secs(1)).await.unwrap().is_refused(413, -32600);
    let silent = futures::stream::pending::<Result<String, std::io::Error>>();
    let mut silent = posted(Body::from_stream(silent));
    let began = Instant::now();
    knock(&cluster, &mut silent, Duration::from_secs(60)).await.unwrap().is_refused(408, -32600);
    assert_eq!(began.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_let_in_then_is_served() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut asking = client.stream(&call(1, "ask")).await;
    let id = asking.message().await.data["id"].clone();
    let answer = json!({"jsonrpc": "2.0", "id": id, "result": {}});
    let mut request = client
        .request(Method::POST)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body(answer.to_string().into())
        .unwrap();
    assert!(knock(&cluster, &mut request, Duration::from_secs(5)).await.is_none());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(client.send(request).await.status(), 202);
    assert_eq!(asking.message().await.data["result"]["content"][0]["text"], "answered");
    let mut request = Client::clone(&client)
        .request(Method::GET)
        .header("accept", "text/event-stream")
        .body(Body::empty())
        .unwrap();
    assert!(knock(&cluster, &mut request, Duration::from_secs(5)).await.is_none());
    Events::of(client.send(request).await).next().await.unwrap();
}
