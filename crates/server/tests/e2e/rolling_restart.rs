//! Every instance is replaced under load, as a deployment does it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use mcp_everything_store::contract::redis_server::RedisServer;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    figures::percentiles,
    haproxy::Haproxy,
    it::support::{Mcp, QUIET, Server, SignIn, Stream, call, soon},
    load::Load,
};

const SESSIONS: usize = 200;
const ROUNDS: usize = 2;
const KEEPING_ALIVE: usize = 6;
const LISTENING: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails() {
    let redis = RedisServer::start();
    let haproxy = Haproxy::start();
    let settings = [("REDIS_URL", &*redis.url()), QUIET, ("DRAIN_DELAY", "1s")];
    let mut server = Server::behind(&haproxy.base(), &haproxy.instances, &settings);
    haproxy.until_it_serves(0..3);
    let load = Load::start(&server, SESSIONS).await;
    let stop = CancellationToken::new();
    let clients = clients(&server, KEEPING_ALIVE + LISTENING).await;
    let (keeping, listening) = clients.split_at(KEEPING_ALIVE);
    let keeping = keeping.iter().enumerate().map(|(number, client)| {
        let keeping = KeepingAlive { client: client.clone(), ports: haproxy.instances };
        tokio::spawn(keeping.run(number, stop.clone()))
    });
    let keeping: Vec<_> = keeping.collect();
    let mut streams = Vec::new();
    for (number, client) in listening.iter().enumerate() {
        streams.push((number % 3, Stream::of(client.at(&server, number % 3).get(None).await)));
    }

    for instance in (0..ROUNDS).flat_map(|_| 0..3) {
        server.instances[instance].signal("-TERM");
        for ((at, stream), client) in streams.iter_mut().zip(listening) {
            if *at == instance {
                // Ends, and does not break.
                while stream.next().await.is_some() {}
                assert!(stream.retry.is_some(), "it says when to come back");
                *at = (instance + 1) % 3;
                *stream = Stream::of(client.at(&server, *at).get(None).await);
            }
        }
        let ended = tokio::task::block_in_place(|| server.instances[instance].wait());
        assert!(ended.success(), "{ended}");
        tokio::task::block_in_place(|| server.instances[instance].restart());
        tokio::task::block_in_place(|| haproxy.until_it_serves([instance]));
    }

    stop.cancel();
    let mut kept = 0;
    for task in keeping {
        kept += soon(task).await.unwrap();
    }
    let tally = load.end().await;
    let calls = std::mem::take(&mut *tally.calls.lock().unwrap());
    println!("{SESSIONS} sessions, {} restarts: {} calls answered", ROUNDS * 3, calls.len());
    println!("calls: {}", percentiles(calls));
    println!("{KEEPING_ALIVE} clients that keep their connection: {kept} calls answered");
    let wrong = tally.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} answers are wrong, such as {:?}", wrong.len(), &wrong[..1]);
    let failures = tally.failures.lock().unwrap();
    assert!(failures.is_empty(), "{} calls failed, such as {:?}", failures.len(), &failures[..1]);
}

async fn clients(server: &Server, count: usize) -> Vec<Mcp> {
    let token = SignIn::register(server).await.tokens("alice").await.access;
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = Mcp::new(server);
        client.token = Some(token.clone());
        client.initialize(json!({})).await;
        clients.push(client);
    }
    clients
}

/// A client that speaks to one instance over one connection, until it is told that this closes;
/// then over another to the next that is ready.
struct KeepingAlive {
    client: Mcp,
    ports: [u16; 3],
}

impl KeepingAlive {
    /// How many calls were answered.
    async fn run(self, number: usize, stop: CancellationToken) -> usize {
        let mut answered = 0;
        for instance in number.. {
            let Some(mut connection) = self.connect(instance % 3).await else { continue };
            loop {
                if stop.is_cancelled() {
                    return answered;
                }
                let message = call(1, "echo", &json!({ "message": answered.to_string() }));
                let answer = connection.send_request(self.request("POST", "/mcp", &message)).await;
                let answer = answer.expect("no request fails");
                let (status, last) = (answer.status(), closes(&answer));
                let body = to_bytes(Body::new(answer.into_body()), 1 << 20).await.unwrap();
                let text = String::from_utf8(body.to_vec()).unwrap();
                assert_eq!(status, StatusCode::OK, "{text}");
                // A call that took long is answered on a stream.
                let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
                let body: Value = serde_json::from_str(data.unwrap_or(&text)).unwrap();
                assert_eq!(body["result"]["content"][0]["text"], format!("Echo: {answered}"));
                answered += 1;
                if last {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
        answered
    }

    /// A connection to an instance that is ready.
    async fn connect(&self, instance: usize) -> Option<http1::SendRequest<Body>> {
        let connection = TcpStream::connect(("127.0.0.1", self.ports[instance])).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(connection)).await.ok()?;
        tokio::spawn(connection);
        let ready = sender.send_request(self.request("GET", "/readyz", &Value::Null)).await.ok()?;
        let is_ready = ready.status() == StatusCode::OK && !closes(&ready);
        to_bytes(Body::new(ready.into_body()), 1 << 20).await.ok()?;
        is_ready.then_some(sender)
    }

    fn request(&self, method: &str, path: &str, message: &Value) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1")
            .header("authorization", format!("Bearer {}", self.client.token.as_ref().unwrap()))
            .header("mcp-session-id", self.client.session.as_ref().unwrap())
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(Body::from(message.to_string()))
            .unwrap()
    }
}

fn closes(answer: &Response<Incoming>) -> bool {
    answer.headers().get("connection").is_some_and(|value| value == "close")
}
