//! An MCP client that shows what is on the wire.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::{Deployment, Server, SignIn, secrets, soon};

#[derive(Clone)]
pub(crate) struct Mcp {
    http: Client,
    url: String,
    pub(crate) token: Option<String>,
    pub(crate) session: Option<String>,
}

impl Mcp {
    /// A client that has nothing yet.
    pub(crate) fn new(server: &Server) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        Self { http, url: server.url("/mcp"), token: None, session: None }
    }

    /// A client of `user`, signed in and with a session.
    pub(crate) async fn of(server: &Server, user: &str) -> Self {
        let tokens = SignIn::register(server).await.tokens(user).await;
        let mut client = Self::new(server);
        client.token = Some(tokens.access);
        client.initialize(json!({ "sampling": {}, "elicitation": {}, "roots": {} })).await;
        client
    }

    /// A client of a server without authentication, with a session.
    pub(crate) async fn anonymous(server: &Server) -> Self {
        let mut client = Self::new(server);
        client.initialize(json!({})).await;
        client
    }

    /// The same client, asking this instance and no other.
    pub(crate) fn at(&self, server: &Server, instance: usize) -> Self {
        Self { url: server.url_of(instance, "/mcp"), ..self.clone() }
    }

    pub(crate) async fn initialize(&mut self, capabilities: Value) {
        let answer = self.post(&initialize(&capabilities)).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        let session = answer.headers["mcp-session-id"].to_str().unwrap();
        self.session = Some(session.to_owned());
    }

    pub(crate) fn request(&self, method: Method) -> RequestBuilder {
        let mut request = self.http.request(method, &self.url);
        if let Some(token) = &self.token {
            secrets::seen(token);
            request = request.bearer_auth(token);
        }
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        request
    }

    pub(crate) async fn send(&self, message: &Value) -> Response {
        let request = self
            .request(Method::POST)
            .header("accept", "application/json, text/event-stream")
            .json(message);
        soon(request.send()).await.unwrap()
    }

    pub(crate) async fn post(&self, message: &Value) -> Answer {
        Answer::of(self.send(message).await).await
    }

    /// All that comes before the answer, and the answer.
    pub(crate) async fn messages(&self, message: &Value) -> Vec<Value> {
        let response = self.send(message).await;
        if response.headers()["content-type"] == "application/json" {
            return vec![soon(response.json()).await.unwrap()];
        }
        let (mut stream, mut messages) = (Stream::of(response), Vec::new());
        while let Some(message) = stream.next().await {
            messages.push(message);
        }
        messages
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.post(&call(1, tool, &arguments)).await
    }

    /// That a call of this session is answered.
    pub(crate) async fn is_served(&self) {
        assert_eq!(self.call("echo", json!({ "message": "hi" })).await.text(), "Echo: hi");
    }

    /// That its token is refused: at once, or where nobody hears of revocations, soon. How.
    pub(crate) async fn is_shut_out(&self, on: &Deployment) -> Answer {
        let shut_out = async {
            loop {
                let answer = self.call("echo", json!({ "message": "hi" })).await;
                if on.hears_of_revocations() || answer.status == StatusCode::UNAUTHORIZED {
                    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        soon(shut_out).await
    }

    pub(crate) async fn get(&self, last_event_id: Option<&str>) -> Response {
        let mut request = self.request(Method::GET).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        soon(request.send()).await.unwrap()
    }

    pub(crate) async fn delete(&self) -> Answer {
        Answer::of(soon(self.request(Method::DELETE).send()).await.unwrap()).await
    }
}

pub(crate) fn initialize(capabilities: &Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": capabilities,
            "clientInfo": { "name": "test", "version": "1" }
        }
    })
}

pub(crate) fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments, "_meta": { "progressToken": id } }
    })
}

/// An answer, read to its end: JSON, or the last message of a stream.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = soon(response.text()).await.unwrap();
        let json = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
        let body = serde_json::from_str(json.unwrap_or(&text)).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    pub(crate) fn text(&self) -> &str {
        self.body["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }

    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, code: i64) {
        assert_eq!(self.status, status, "{:?}", self.body);
        assert_eq!(self.body["error"]["code"], code, "{:?}", self.body);
    }
}

/// An event stream, read as it comes.
pub(crate) struct Stream {
    body: futures::stream::BoxStream<'static, reqwest::Result<Vec<u8>>>,
    text: String,
    /// The id of the last event.
    pub(crate) last_id: Option<String>,
    /// How long to wait before coming back, in ms, as it was said last.
    pub(crate) retry: Option<String>,
}

impl Stream {
    #[track_caller]
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())).boxed();
        Self { body, text: String::new(), last_id: None, retry: None }
    }

    /// The next message, `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        self.try_next().await.unwrap()
    }

    /// The next message, `None` at the end; an error if the connection broke.
    pub(crate) async fn try_next(&mut self) -> reqwest::Result<Option<Value>> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                if let Some(id) = event.lines().find_map(|line| line.strip_prefix("id: ")) {
                    self.last_id = Some(id.to_owned());
                }
                if let Some(retry) = event.lines().find_map(|line| line.strip_prefix("retry: ")) {
                    self.retry = Some(retry.to_owned());
                }
                if let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) {
                    // Where an HTTP with SSE stream leads is no JSON.
                    return Ok(Some(serde_json::from_str(data).unwrap_or(data.into())));
                }
            }
            let Some(chunk) = soon(self.body.next()).await else { return Ok(None) };
            self.text.push_str(std::str::from_utf8(&chunk?).unwrap());
        }
    }

    /// The last message of all.
    pub(crate) async fn last(&mut self) -> Value {
        let mut last = None;
        while let Some(message) = self.next().await {
            last = Some(message);
        }
        last.expect("something is said")
    }

    /// Whether it ends in the middle, as a lost connection does.
    pub(crate) async fn broken(&mut self) -> bool {
        loop {
            match self.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    /// The next message of this method, passing over others.
    pub(crate) async fn until(&mut self, method: &str) -> Value {
        loop {
            let message = self.next().await.expect("the stream goes on");
            if message["method"] == method {
                return message;
            }
        }
    }
}
