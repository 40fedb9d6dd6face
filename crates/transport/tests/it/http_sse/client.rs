//! A client of HTTP with SSE.

use std::cell::Cell;

use axum::{body::Body, response::Response};
use http::{Method, Request, StatusCode};
use mcp_everything_store::{Access, Owner};
use mcp_everything_transport::HttpSse;
use serde_json::{Value, json};

use crate::{
    probe::Probe,
    support::{Answer, Cluster, Event, Events, initialize, owner, soon},
};

/// Where clients are told to send their messages: behind a proxy with a path of its own.
pub(crate) const MESSAGE: &str = "/prefix/message";

pub(crate) struct Sse<'a> {
    cluster: &'a Cluster,
    owner: Owner,
    access: Option<Access>,
    /// The first event of the stream.
    pub(crate) opening: Event,
    pub(crate) events: Events,
    /// The last event's id.
    pub(crate) last: Option<String>,
    next: Cell<usize>,
}

pub(crate) fn endpoints(cluster: &Cluster, instance: usize) -> HttpSse<Probe> {
    cluster.instances[instance].http_sse(MESSAGE)
}

pub(crate) fn ping(id: u64) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })
}

fn request(
    method: Method,
    uri: &str,
    owner: &Owner,
    access: Option<Access>,
) -> http::request::Builder {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "localhost")
        .extension(owner.clone());
    match access {
        Some(access) => request.extension(access),
        None => request,
    }
}

impl<'a> Sse<'a> {
    /// A client with a stream on the first instance, and a handshake.
    pub(crate) async fn connect(cluster: &'a Cluster) -> Self {
        Self::connect_as(cluster, "alice", "2024-11-05").await
    }

    pub(crate) async fn connect_as(cluster: &'a Cluster, user: &str, version: &str) -> Self {
        let mut client = Self::open(cluster, user).await;
        client.accepted(&initialize(version)).await;
        let answer = client.message().await;
        assert!(answer["result"]["protocolVersion"].is_string(), "{answer}");
        client
    }

    /// A client with a stream on the first instance, and no handshake.
    pub(crate) async fn open(cluster: &'a Cluster, user: &str) -> Self {
        Self::open_with(cluster, owner(user), None).await
    }

    pub(crate) async fn open_with(
        cluster: &'a Cluster,
        owner: Owner,
        access: Option<Access>,
    ) -> Self {
        let get = request(Method::GET, "/sse", &owner, access).body(Body::empty()).unwrap();
        let response = soon(endpoints(cluster, 0).stream.handle(get)).await;
        Self::of(cluster, owner, access, response).await
    }

    async fn of(
        cluster: &'a Cluster,
        owner: Owner,
        access: Option<Access>,
        response: Response,
    ) -> Self {
        let mut events = Events::of(response);
        let opening = events.next().await.expect("the stream begins");
        assert_eq!(opening.name.as_deref(), Some("endpoint"), "{opening:?}");
        let last = opening.id.clone();
        Self { cluster, owner, access, opening, events, last, next: Cell::new(1) }
    }

    /// The same client, back on another instance. The stream it had is dropped.
    pub(crate) async fn back(self, instance: usize) -> Self {
        let Self { cluster, owner, access, last, events, .. } = self;
        drop(events);
        Self::back_as(cluster, owner, access, last.as_deref(), instance).await
    }

    pub(crate) async fn back_as(
        cluster: &'a Cluster,
        owner: Owner,
        access: Option<Access>,
        last_event_id: Option<&str>,
        instance: usize,
    ) -> Self {
        let mut get = request(Method::GET, "/sse", &owner, access);
        if let Some(id) = last_event_id {
            get = get.header("last-event-id", id);
        }
        let get = get.body(Body::empty()).unwrap();
        let response = soon(endpoints(cluster, instance).stream.handle(get)).await;
        Self::of(cluster, owner, access, response).await
    }

    /// Closes the stream, and waits until that is known.
    pub(crate) async fn hang_up(&mut self) {
        let closed = self.cluster.store.count("close_stream");
        self.events.close();
        self.cluster.store.asked("close_stream", closed).await;
    }

    /// Where it was told to send its messages.
    pub(crate) fn url(&self) -> &str {
        self.opening.data.as_str().unwrap()
    }

    pub(crate) fn session(&self) -> &str {
        self.url().split_once("?sessionId=").unwrap().1
    }

    /// A request for the message endpoint as this client sends it.
    pub(crate) fn posting(&self) -> http::request::Builder {
        let url = self.url().strip_prefix("/prefix").unwrap();
        request(Method::POST, url, &self.owner, self.access)
            .header("content-type", "application/json")
    }

    /// Sends a request to the next instance.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let instance = self.next.get() % self.cluster.instances.len();
        self.next.set(instance + 1);
        self.send_to(instance, request).await
    }

    pub(crate) async fn send_to(&self, instance: usize, request: Request<Body>) -> Answer {
        Answer::of(soon(endpoints(self.cluster, instance).message.handle(request)).await).await
    }

    pub(crate) async fn post(&self, message: &Value) -> Answer {
        self.send(self.posting().body(message.to_string().into()).unwrap()).await
    }

    pub(crate) async fn post_to(&self, instance: usize, message: &Value) -> Answer {
        self.send_to(instance, self.posting().body(message.to_string().into()).unwrap()).await
    }

    pub(crate) async fn accepted(&self, message: &Value) {
        is_accepted(&self.post(message).await);
    }

    pub(crate) async fn accepted_by(&self, instance: usize, message: &Value) {
        is_accepted(&self.post_to(instance, message).await);
    }

    /// The next message on the stream.
    pub(crate) async fn message(&mut self) -> Value {
        let event = self.events.message().await;
        assert_eq!(event.name.as_deref(), Some("message"));
        self.last.clone_from(&event.id);
        event.data
    }

    /// The text that a tool returned, which is the next message on the stream.
    pub(crate) async fn text(&mut self) -> String {
        let message = self.message().await;
        let text = message["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    /// The code of the error, which is the next message on the stream, and the id it answers.
    pub(crate) async fn error(&mut self) -> (i64, Value) {
        let message = self.message().await;
        let code = message["error"]["code"].as_i64();
        (code.unwrap_or_else(|| panic!("{message}")), message["id"].clone())
    }
}

/// "202 Accepted" with nothing in it: what comes of a message comes on the stream.
#[track_caller]
fn is_accepted(answer: &Answer) {
    assert_eq!((answer.status, &answer.body), (StatusCode::ACCEPTED, &Value::Null));
}
