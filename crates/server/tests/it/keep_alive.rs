//! Connections that clients keep, while the server goes away. What is sent into a connection that
//! closes fails, and a client cannot know whether it was done.

use axum::body::{Body, to_bytes};
use http::{Request, Response, StatusCode, header::CONNECTION};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc};

use crate::support::{Mcp, Server, call, soon};

const CLIENTS: usize = 40;

/// A connection of a client in a session.
struct Kept {
    host: String,
    session: String,
    sender: http1::SendRequest<Body>,
}

impl Kept {
    async fn open(server: &Server, client: &Mcp) -> Self {
        let port = server.instances[0].port;
        let connection = soon(TcpStream::connect(("127.0.0.1", port))).await.unwrap();
        connection.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(connection)).await.unwrap();
        tokio::spawn(connection);
        let session = client.session.clone().unwrap();
        Self { host: format!("localhost:{port}"), session, sender }
    }

    /// Sends it on this connection, which must not fail.
    async fn send(&mut self, message: &Value) -> Response<Incoming> {
        let request = Request::post("/mcp")
            .header("host", &self.host)
            .header("mcp-session-id", &self.session)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(Body::from(message.to_string()))
            .unwrap();
        let answer = soon(self.sender.send_request(request)).await.expect("it is answered");
        assert_eq!(answer.status(), StatusCode::OK);
        answer
    }

    /// Whether the connection ends with the answer.
    async fn echoes(&mut self) -> bool {
        let answer = self.send(&call(1, "echo", &json!({ "message": "hi" }))).await;
        let last = is_last(&answer);
        let text = whole(answer).await;
        assert!(text.contains("Echo: hi"), "{text}");
        last
    }
}

fn is_last(answer: &Response<Incoming>) -> bool {
    answer.headers().get(CONNECTION).is_some_and(|value| value == "close")
}

async fn whole(answer: Response<Incoming>) -> String {
    let body = soon(to_bytes(Body::new(answer.into_body()), usize::MAX)).await;
    String::from_utf8(body.expect("all of it comes").to_vec()).unwrap()
}

fn settings(delay: &str) -> [(&'static str, &str); 2] {
    [("AUTH_MODE", "none"), ("DRAIN_DELAY", delay)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_keeps_asking_is_told_to_move_before_anything_closes() {
    let mut server = Server::with(&settings("1s"));
    let client = Mcp::anonymous(&server).await;
    let (answered, mut answers) = mpsc::channel(CLIENTS);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut kept = Kept::open(&server, &client).await;
        let answered = answered.clone();
        clients.push(tokio::spawn(async move {
            assert!(!kept.echoes().await, "it goes on");
            answered.send(()).await.unwrap();
            while !kept.echoes().await {}
        }));
    }
    for _ in 0..CLIENTS {
        soon(answers.recv()).await.unwrap();
    }
    server.signal("-TERM");
    for client in clients {
        soon(client).await.unwrap();
    }
    assert!(tokio::task::block_in_place(|| server.wait()).success());
}

/// A stream that began before cannot say that it is the last answer.
#[tokio::test]
async fn after_a_stream_that_ends_late_one_more_request_is_answered() {
    let mut server = Server::with(&settings("10ms"));
    let client = Mcp::anonymous(&server).await;
    let mut kept = Kept::open(&server, &client).await;
    let operation = json!({ "duration": 1, "steps": 4 });
    let calling = kept.send(&call(1, "longRunningOperation", &operation)).await;
    assert!(!is_last(&calling));
    server.signal("-TERM");
    assert!(whole(calling).await.contains("Long running operation completed"));
    assert!(kept.echoes().await, "and told to be the last");
    assert!(server.wait().success());
}

#[tokio::test]
async fn while_it_waits_for_balancers_it_is_red_and_still_serves() {
    let mut server = Server::with(&settings("2s"));
    let client = Mcp::anonymous(&server).await;
    server.signal("-TERM");
    server.logged("server.stopping");
    let ready = soon(reqwest::get(server.url("/readyz"))).await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.headers()[CONNECTION], "close");
    assert_eq!(soon(ready.json::<Value>()).await.unwrap()["reason"], "draining");
    assert!(Kept::open(&server, &client).await.echoes().await);
    let alive = soon(reqwest::get(server.url("/healthz"))).await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK);
    assert!(server.wait().success());
}
