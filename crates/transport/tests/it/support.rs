//! Instances of an endpoint over one store, and a client's view of them.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, BodyDataStream},
    response::Response,
};
use futures::StreamExt as _;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use mcp_everything_store::{
    Access, InstanceId, Limits, Owner, SystemRandom, TestClock, memory::MemoryStore,
};
use mcp_everything_transport::{Backends, ChangeFeed, Config, ElicitationDesk, Endpoint, TaskDesk};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore, broadcast, mpsc};

use crate::{
    faults::{FaultyStore, LossyBus, Revoked},
    probe::Probe,
};

/// No test waits longer for anything.
const BOUND: Duration = Duration::from_secs(20);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, what).await.expect("it happens within the bound")
}

pub(crate) struct Cluster {
    pub(crate) instances: Vec<Endpoint<Probe>>,
    /// Each instance's own.
    pub(crate) feeds: Vec<ChangeFeed>,
    pub(crate) desks: Vec<TaskDesk>,
    pub(crate) elicitations: Vec<ElicitationDesk>,
    pub(crate) clock: TestClock,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) bus: Arc<LossyBus>,
    pub(crate) revoked: Arc<Revoked>,
    pub(crate) ids: Vec<InstanceId>,
    pub(crate) gate: Arc<Semaphore>,
    seen: Mutex<mpsc::UnboundedReceiver<&'static str>>,
}

impl Cluster {
    pub(crate) async fn of(instances: usize) -> Self {
        Self::with(instances, Config::default(), Limits::default()).await
    }

    pub(crate) async fn with(instances: usize, config: Config, limits: Limits) -> Self {
        let clock = TestClock::default();
        let store = MemoryStore::new(Arc::new(clock.clone()), limits);
        let store = Arc::new(FaultyStore::new(store));
        let bus = Arc::new(LossyBus::default());
        let revoked = Arc::new(Revoked::default());
        let gate = Arc::new(Semaphore::new(0));
        let (seen_by, seen) = mpsc::unbounded_channel();
        let (mut started, mut ids) = (Vec::new(), Vec::new());
        let (mut feeds, mut desks, mut elicitations) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..instances {
            let instance = InstanceId::random(&format!("test{number}"), &SystemRandom);
            ids.push(instance.clone());
            let changes = ChangeFeed::new(Arc::clone(&store) as _, Arc::clone(&bus) as _);
            feeds.push(changes.clone());
            let heard = broadcast::Sender::new(256);
            let hearing = heard.clone();
            changes.on_change(move |change| {
                // The only error is that no handler listens.
                let _ = hearing.send(change.clone());
            });
            let tasks = TaskDesk::new(
                Arc::clone(&store) as _,
                Arc::clone(&bus) as _,
                Arc::new(clock.clone()),
                Arc::new(SystemRandom),
                instance.clone(),
            );
            desks.push(tasks.clone());
            let asked = ElicitationDesk::new(
                Arc::clone(&store) as _,
                Arc::clone(&bus) as _,
                Arc::new(clock.clone()),
                Arc::new(SystemRandom),
            );
            elicitations.push(asked.clone());
            let backends = Backends {
                store: Arc::clone(&store) as _,
                bus: Arc::clone(&bus) as _,
                changes: changes.clone(),
                tasks,
                elicitations: asked,
                clock: Arc::new(clock.clone()),
                random: Arc::new(SystemRandom),
                instance,
                standing: Some(Arc::clone(&revoked) as _),
                observer: Arc::new(()),
            };
            let (gate, seen) = (Arc::clone(&gate), seen_by.clone());
            let endpoint = Endpoint::start(backends, config.clone(), move |scope, extensions| {
                if let Some(stream) = scope.stream {
                    extensions.insert(stream.clone());
                }
                if let Some(session) = scope.session {
                    extensions.insert(session.clone());
                }
                let changes = Arc::new(Mutex::new(heard.subscribe()));
                Probe { gate: Arc::clone(&gate), seen: seen.clone(), changes }
            });
            started.push(endpoint.await.unwrap());
        }
        let seen = Mutex::new(seen);
        Self {
            instances: started,
            feeds,
            desks,
            elicitations,
            clock,
            store,
            bus,
            revoked,
            ids,
            gate,
            seen,
        }
    }

    /// The next thing a handler went through.
    pub(crate) async fn sees(&self, what: &str) {
        assert_eq!(soon(async { self.seen.lock().await.recv().await }).await, Some(what));
    }

    /// A client with a session, begun on the first instance.
    pub(crate) async fn client(&self) -> Client<'_> {
        self.client_of("alice", "2025-11-25").await
    }

    pub(crate) async fn client_of(&self, user: &str, version: &str) -> Client<'_> {
        let mut client = Client::new(self, user);
        let answer = client.post(&initialize(version)).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        client.session = answer.headers.get("mcp-session-id").map(|id| id.to_str().unwrap().into());
        assert!(client.session.is_some(), "an initialized client has a session");
        client
    }
}

pub(crate) fn owner(user: &str) -> Owner {
    Owner { user: user.into(), issuer: "https://as.test".into(), client: "client".into() }
}

pub(crate) fn initialize(version: &str) -> Value {
    json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": version,
            "capabilities": { "roots": {} },
            "clientInfo": { "name": "test", "version": "1" }
        }
    })
}

pub(crate) fn call(id: impl Into<Value>, tool: &str) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id.into(), "method": "tools/call",
        "params": { "name": tool, "_meta": { "progressToken": "p" } }
    })
}

#[derive(Clone)]
pub(crate) struct Client<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) owner: Owner,
    pub(crate) access: Option<Access>,
    pub(crate) session: Option<String>,
    pub(crate) on: usize,
}

impl<'a> Client<'a> {
    /// A client without a session.
    pub(crate) fn new(cluster: &'a Cluster, user: &str) -> Self {
        Client { cluster, owner: owner(user), access: None, session: None, on: 0 }
    }

    /// The same client, whose requests go to another instance.
    pub(crate) fn on(&self, instance: usize) -> Self {
        Self { on: instance, ..self.clone() }
    }

    pub(crate) async fn post(&self, message: &Value) -> Answer {
        Answer::of(self.open(message).await).await
    }

    /// A POST whose answer is a stream.
    pub(crate) async fn stream(&self, message: &Value) -> Events {
        Events::of(self.open(message).await)
    }

    pub(crate) async fn get(&self, last_event_id: Option<&str>) -> Response {
        let mut request = self.request(Method::GET).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self) -> Answer {
        let request = self.request(Method::DELETE).body(Body::empty()).unwrap();
        Answer::of(self.send(request).await).await
    }

    pub(crate) async fn open(&self, message: &Value) -> Response {
        let request = self
            .request(Method::POST)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        self.send(request.body(message.to_string().into()).unwrap()).await
    }

    pub(crate) fn request(&self, method: Method) -> http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri("/mcp")
            .header("host", "localhost")
            .extension(self.owner.clone());
        let request = match self.access {
            Some(access) => request.extension(access),
            None => request,
        };
        match &self.session {
            Some(session) => request.header("mcp-session-id", session),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        soon(self.cluster.instances[self.on].handle(request)).await
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = soon(body.collect()).await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| match bytes.as_ref() {
            b"" => Value::Null,
            bytes => Value::String(String::from_utf8_lossy(bytes).into()),
        });
        Self { status: parts.status, headers: parts.headers, body }
    }

    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, code: i64) {
        assert_eq!(self.status, status, "{:?}", self.body);
        assert_eq!(self.body["error"]["code"], code, "{:?}", self.body);
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert_eq!(self.body["result"]["content"][0]["text"], text, "{:?}", self.body);
    }
}

/// One event as it was on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) retry: Option<u64>,
    pub(crate) data: Value,
}

pub(crate) struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    #[track_caller]
    pub(crate) fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let kind = parts.headers.get("content-type").map(|kind| kind.to_str().unwrap());
        assert_eq!(kind, Some("text/event-stream"), "status {}", parts.status);
        assert_eq!(parts.headers["x-accel-buffering"], "no");
        Self { body: body.into_data_stream(), text: String::new() }
    }

    /// Closes the connection.
    pub(crate) fn close(&mut self) {
        self.body = Body::empty().into_data_stream();
    }

    /// The next event; `None` at the end of the stream. Comments are passed over.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        soon(self.whenever()).await
    }

    /// The next event, however long it takes.
    async fn whenever(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let mut event = Event::default();
                let mut fields = 0;
                for line in block.lines() {
                    let (name, value) = line.split_once(':').unwrap_or((line, ""));
                    let value = value.trim_start();
                    match name {
                        "event" => event.name = Some(value.into()),
                        "id" => event.id = Some(value.into()),
                        "retry" => event.retry = Some(value.parse().unwrap()),
                        "data" if value.is_empty() => {}
                        // The endpoint of an HTTP with SSE stream is no JSON.
                        "data" => {
                            event.data = serde_json::from_str(value).unwrap_or(value.into());
                        }
                        _ => continue,
                    }
                    fields += 1;
                }
                if fields > 0 {
                    return Some(event);
                }
                continue;
            }
            let chunk = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event that carries a message.
    pub(crate) async fn message(&mut self) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if !event.data.is_null() {
                return event;
            }
        }
    }

    /// All messages up to the end.
    pub(crate) async fn rest(&mut self) -> Vec<Value> {
        soon(self.rest_whenever()).await
    }

    /// All messages up to the end, however long that takes.
    pub(crate) async fn rest_whenever(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(event) = self.whenever().await {
            if !event.data.is_null() {
                messages.push(event.data);
            }
        }
        messages
    }
}
