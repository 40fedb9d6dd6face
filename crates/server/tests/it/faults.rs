//! `docs/fault-tools.md`: each fault is on the wire as its row says, and nothing else is harmed.

mod delay;
mod instance;
mod json_rpc;
mod listed;
mod message;
mod notification;
mod result;
mod rows;
mod status;
mod stream;

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::support::{Deployment, Mcp, Server, soon};

/// A server with the tools, and without authentication.
fn open(on: &Deployment) -> Server {
    on.with(&[("AUTH_MODE", "none"), ("FAULT_TOOLS", "on")])
}

/// A client that calls the tools and sees every byte.
#[derive(Clone)]
struct Caller {
    mcp: Mcp,
    /// Whether it speaks 2026-07-28.
    stateless: bool,
}

/// What a call was answered.
#[derive(Debug)]
struct Heard {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
    /// Whether it broke off before its end.
    broken: bool,
}

/// An event of a stream that is written as this server usually does.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    id: Option<String>,
    data: String,
}

impl Caller {
    async fn with_session(server: &Server) -> Self {
        Self { mcp: Mcp::anonymous(server).await, stateless: false }
    }

    fn without_session(server: &Server) -> Self {
        Self { mcp: Mcp::new(server), stateless: true }
    }

    /// One of each.
    async fn both(server: &Server) -> [Self; 2] {
        [Self::with_session(server).await, Self::without_session(server)]
    }

    fn request(&self, id: &Value, tool: &str, arguments: &Value) -> reqwest::RequestBuilder {
        let mut params = json!({
            "name": tool, "arguments": arguments, "_meta": { "progressToken": "t" }
        });
        let mut request = self.mcp.request(Method::POST);
        if self.stateless {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
            request = request
                .header("mcp-protocol-version", "2026-07-28")
                .header("mcp-method", "tools/call")
                .header("mcp-name", tool);
        }
        request
            .header("accept", "application/json, text/event-stream")
            .json(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }))
    }

    /// Calls a tool, with the id 1; an error if not even headers come.
    async fn try_call(&self, tool: &str, arguments: &Value) -> reqwest::Result<Heard> {
        let response = soon(self.request(&json!(1), tool, arguments).send()).await?;
        Ok(Heard::of(response).await)
    }

    async fn call(&self, tool: &str, arguments: Value) -> Heard {
        self.try_call(tool, &arguments).await.unwrap()
    }

    /// Comes back for what comes after an event.
    async fn resume(&self, id: Option<&str>) -> Heard {
        Heard::of(self.mcp.get(id).await).await
    }

    /// That nothing else was harmed.
    async fn is_served(&self) {
        let echoed = self.call("echo", json!({ "message": "hi" })).await;
        assert_eq!(echoed.answer()["result"]["content"][0]["text"], "Echo: hi");
    }
}

impl Heard {
    async fn of(mut response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (mut bytes, mut broken) = (Vec::new(), false);
        loop {
            match soon(response.chunk()).await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) => {
                    broken = true;
                    break;
                }
            }
        }
        Self { status, headers, bytes, broken }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn is_stream(&self) -> bool {
        self.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream")
    }

    /// The events that have data.
    fn events(&self) -> Vec<Event> {
        let text = self.text();
        let whole = text.rfind("\n\n").map_or("", |end| &text[..end + 2]);
        let field = |event: &str, name: &str| {
            event.lines().find_map(|line| Some(line.strip_prefix(name)?.to_owned()))
        };
        let events = whole.split("\n\n").filter_map(|event| {
            Some(Event { id: field(event, "id: "), data: field(event, "data: ")? })
        });
        events.collect()
    }

    /// The messages: those of the stream, or the one in the body.
    fn messages(&self) -> Vec<Value> {
        if !self.is_stream() {
            return vec![serde_json::from_slice(&self.bytes).unwrap()];
        }
        self.events().iter().map(|event| serde_json::from_str(&event.data).unwrap()).collect()
    }

    /// The numbers of the progress that was reported.
    fn progress(&self) -> Vec<u64> {
        let messages = self.messages().into_iter();
        messages.filter_map(|message| message["params"]["progress"].as_u64()).collect()
    }

    /// The last message, which is the answer to the call.
    fn answer(&self) -> Value {
        let last = self.messages().pop().unwrap_or_else(|| panic!("{self:?}"));
        assert_eq!(last["id"], 1, "{last}");
        last
    }

    /// That the call ends as it would without the fault.
    fn is_answered_after(&self, kind: &str) {
        let said = format!("This is the answer; {kind} came before it.");
        assert_eq!(self.answer()["result"]["content"][0]["text"], said, "{kind}");
        assert!(!self.broken, "{kind}");
    }

    fn has_no_answer(&self) -> bool {
        self.messages().iter().all(|message| message.get("id").is_none())
    }

    fn last_id(&self) -> Option<String> {
        // Those of events without data are ids as well.
        self.text()
            .lines()
            .filter_map(|line| line.strip_prefix("id: "))
            .next_back()
            .map(str::to_owned)
    }
}
