//! A client of one revision, which shows the answers as they are.

use reqwest::Method;
use serde_json::{Value, json};

use super::capabilities;
use crate::support::{Mcp, Piped, Server, Sse, Stream, soon};

pub(super) struct Wire {
    /// As the page calls it.
    pub(super) name: &'static str,
    /// What the server said of itself.
    pub(super) begun: Value,
    connection: Connection,
    asked: u64,
}

enum Connection {
    HttpSse(Sse),
    Session(Mcp),
    Stateless(Mcp, &'static str),
    Stdio(Piped),
}

impl Wire {
    pub(super) async fn http_sse(server: &Server, revision: &'static str) -> Self {
        let connection = Connection::HttpSse(Sse::open(server, None).await);
        Self::begin("HTTP with SSE", connection, revision).await
    }

    /// Streamable HTTP, with a session.
    pub(super) async fn session(server: &Server, revision: &'static str) -> Self {
        let mut client = Mcp::new(server);
        let answer = client.post(&initialize(1, revision)).await;
        client.session = Some(answer.headers["mcp-session-id"].to_str().unwrap().to_owned());
        let begun = answer.body["result"].clone();
        assert_eq!(begun["protocolVersion"], revision);
        Self { name: revision, begun, connection: Connection::Session(client), asked: 1 }
    }

    pub(super) fn stateless(server: &Server, revision: &'static str) -> Self {
        let connection = Connection::Stateless(Mcp::new(server), revision);
        Self { name: revision, begun: Value::Null, connection, asked: 0 }
    }

    pub(super) async fn stdio(revision: &'static str) -> Self {
        Self::begin("stdio", Connection::Stdio(Piped::start()), revision).await
    }

    async fn begin(name: &'static str, connection: Connection, revision: &str) -> Self {
        let mut wire = Self { name, begun: Value::Null, connection, asked: 0 };
        let message = initialize(1, revision);
        wire.begun = wire.ask("initialize", message["params"].clone()).await["result"].clone();
        assert_eq!(wire.begun["protocolVersion"], revision, "{}", wire.begun);
        wire
    }

    /// The first message that answers this, or that a stream begins with.
    pub(super) async fn ask(&mut self, method: &str, mut params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        if let Connection::Stateless(_, revision) = self.connection {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": revision,
                "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": capabilities(),
            });
        }
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        match &mut self.connection {
            Connection::HttpSse(client) => {
                let answer = client.post(&message).await;
                if !answer.status.is_success() {
                    return answer.body;
                }
                loop {
                    let message = client.stream.next().await.expect("the stream goes on");
                    if message["id"] == id && message["method"].is_null() {
                        return message;
                    }
                }
            }
            Connection::Stdio(server) => server.ask(&message),
            Connection::Session(client) => first(client.send(&message).await, id).await,
            Connection::Stateless(client, revision) => {
                let named = ["name", "uri", "taskId"];
                let name = named.iter().find_map(|key| params[key].as_str());
                let mut request = client
                    .request(Method::POST)
                    .header("accept", "application/json, text/event-stream")
                    .header("mcp-protocol-version", *revision)
                    .header("mcp-method", method);
                if let Some(name) = name {
                    request = request.header("mcp-name", name);
                }
                first(soon(request.json(&message).send()).await.unwrap(), id).await
            }
        }
    }
}

/// The answer of a request, or the acknowledgement of one that goes on.
async fn first(response: reqwest::Response, id: u64) -> Value {
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    if kind.is_none_or(|kind| !kind.starts_with("text/event-stream")) {
        return soon(response.json()).await.unwrap();
    }
    let mut stream = Stream::of(response);
    loop {
        let message = stream.next().await.expect("it is answered");
        let acknowledged = message["method"] == "notifications/subscriptions/acknowledged";
        if acknowledged || (message["id"] == id && message["method"].is_null()) {
            return message;
        }
    }
}

fn initialize(id: u64, revision: &str) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id, "method": "initialize",
        "params": {
            "protocolVersion": revision, "capabilities": capabilities(),
            "clientInfo": { "name": "test", "version": "1" }
        }
    })
}
