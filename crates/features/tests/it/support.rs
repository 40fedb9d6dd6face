//! Servers and clients for the tests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use mcp_everything_features::{
    Caller, Carrier, Everything, LocalSession, Options, Origin, RequestStateKeys,
};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt as _, ErrorData, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig,
        CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams, ElicitResult,
        Implementation, ListRootsResult, ProtocolVersion, Role, Root, SamplingMessage,
    },
    service::{RequestContext, RoleClient, RunningService},
};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
    duplex, split,
};

/// How long anything may take before a test gives up.
const BOUND: Duration = Duration::from_secs(30);

/// 2026-01-01T00:00:00Z, which is now for all tests.
pub(crate) const NOW: u64 = 1_767_225_600_000;

pub(crate) fn options() -> Options {
    let ring = [("test".to_owned(), [7; 32])];
    Options::new(RequestStateKeys::new(ring).unwrap(), Arc::new(|| NOW))
}

pub(crate) fn everything() -> Everything {
    Everything::new(options()).unwrap()
}

/// Where a request of a user who signed in comes from.
pub(crate) fn called_by(user: &str) -> Origin {
    let caller = Caller {
        user: user.to_owned(),
        client_id: Some("a client".to_owned()),
        issuer: Some("https://issuer.example.com".to_owned()),
        scopes: Some(vec!["mcp:tools".to_owned()]),
        expires_at: None,
    };
    Origin { carrier: Carrier::StreamableHttp, caller: Some(caller), trace: None }
}

pub(crate) fn conformance() -> Everything {
    Everything::new(Options { conformance: true, ..options() }).unwrap()
}

/// Serves one connection, as stdio does, and returns the client's end of it.
pub(crate) fn connect(everything: &Everything) -> DuplexStream {
    let (client, server) = duplex(64 * 1024);
    let everything = everything.with_session(Arc::new(LocalSession::new()));
    tokio::spawn(async move { everything.serve(server).await.unwrap().waiting().await });
    client
}

pub(crate) fn capabilities(of: Value) -> ClientCapabilities {
    serde_json::from_value(of).unwrap()
}

/// The capabilities of a client that can be asked anything.
pub(crate) fn all() -> Value {
    json!({ "sampling": {}, "elicitation": {}, "roots": {} })
}

pub(crate) fn arguments(of: Value) -> rmcp::model::JsonObject {
    serde_json::from_value(of).unwrap()
}

pub(crate) fn texts(result: &CallToolResult) -> Vec<&str> {
    result.content.iter().filter_map(|block| block.as_text()).map(|text| &*text.text).collect()
}

/// A client made by rmcp that answers whatever it is asked.
#[derive(Clone)]
pub(crate) struct Answering {
    config: ClientConfig,
    pub(crate) elicited: ElicitResult,
    /// What it was asked, in order.
    pub(crate) asked: Arc<Mutex<Vec<Value>>>,
}

pub(crate) type Client = RunningService<RoleClient, Answering>;

impl Answering {
    pub(crate) fn new(version: ProtocolVersion, can: Value) -> Self {
        let name = Implementation::new("test", "0");
        let config = ClientConfig::new(capabilities(can), name).with_protocol_version(version);
        let elicited = serde_json::from_value(json!({ "action": "decline" })).unwrap();
        Self { config, elicited, asked: Arc::default() }
    }

    pub(crate) async fn connect(self, everything: &Everything) -> Client {
        let version = self.config.protocol_version.clone();
        let lifecycle = if version.has_initialize() {
            ClientLifecycleMode::Initialize
        } else {
            ClientLifecycleMode::Discover { preferred_versions: vec![version] }
        };
        self.serve_with_lifecycle(connect(everything), lifecycle).await.unwrap()
    }

    fn note(&self, request: Value) {
        self.asked.lock().unwrap().push(request);
    }
}

impl ClientHandler for Answering {
    fn get_info(&self) -> ClientConfig {
        self.config.clone()
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.note(json!({ "sampling": params }));
        let said = SamplingMessage::new(Role::Assistant, "Paris.");
        Ok(CreateMessageResult::new(said, "a model".to_owned()))
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.note(json!({ "elicitation": params }));
        Ok(self.elicited.clone())
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        self.note(json!("roots"));
        Ok(ListRootsResult::new(vec![Root::new("file:///work").with_name("Work")]))
    }
}

/// The revisions a client of rmcp can speak to this server.
pub(crate) const REVISIONS: [ProtocolVersion; 4] = [
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

pub(crate) async fn call(client: &Client, name: &'static str, with: Value) -> CallToolResult {
    let params = CallToolRequestParams::new(name).with_arguments(arguments(with));
    client.call_tool(params).await.unwrap()
}

/// A client that shows every message as it is on the wire.
pub(crate) struct Raw {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    writer: WriteHalf<DuplexStream>,
    /// The result of `initialize`.
    pub(crate) initialized: Value,
    /// What each request carries in `_meta`.
    pub(crate) meta: Value,
    last_id: u64,
    bound: Duration,
    /// What the server sent beside the answers asked for, in order.
    pub(crate) asides: Vec<Value>,
}

impl Raw {
    fn new(everything: &Everything, meta: Value) -> Self {
        let (reader, writer) = split(connect(everything));
        let lines = BufReader::new(reader).lines();
        let initialized = Value::Null;
        Self { lines, writer, initialized, meta, last_id: 0, bound: BOUND, asides: Vec::new() }
    }

    /// A client of a stateful revision.
    pub(crate) async fn stateful(everything: &Everything, version: &str, can: Value) -> Self {
        let mut raw = Self::new(everything, json!({}));
        let params = json!({
            "protocolVersion": version,
            "capabilities": can,
            "clientInfo": { "name": "test", "version": "0" },
        });
        raw.initialized = raw.request("initialize", params).await["result"].take();
        assert_eq!(raw.initialized["protocolVersion"], version);
        raw.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        raw
    }

    /// A client of 2026-07-28.
    pub(crate) fn stateless(everything: &Everything, can: Value) -> Self {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": can,
        });
        Self::new(everything, meta)
    }

    /// For paused time, which jumps to the next timer whenever all tasks wait.
    pub(crate) fn in_paused_time(mut self) -> Self {
        self.bound = Duration::from_secs(1_000_000);
        self
    }

    pub(crate) async fn send(&mut self, message: Value) {
        let line = format!("{message}\n");
        self.writer.write_all(line.as_bytes()).await.unwrap();
    }

    pub(crate) async fn receive(&mut self) -> Value {
        let line = tokio::time::timeout(self.bound, self.lines.next_line());
        let line = line.await.expect("a message in time").unwrap().expect("an open connection");
        serde_json::from_str(&line).unwrap()
    }

    /// Sends a request and returns its id.
    pub(crate) async fn ask(&mut self, method: &str, mut params: Value) -> u64 {
        self.last_id += 1;
        let given = params["_meta"].take();
        let mut meta = self.meta.clone();
        meta.as_object_mut().unwrap().extend(given.as_object().cloned().unwrap_or_default());
        params["_meta"] = meta;
        let id = self.last_id;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// Sends a request and returns the answer to it, with what came before it among the asides.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params).await;
        self.answer_to(id).await
    }

    pub(crate) async fn answer_to(&mut self, id: u64) -> Value {
        loop {
            let message = self.receive().await;
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
            self.asides.push(message);
        }
    }

    /// All pages of a list, each the result of a request.
    pub(crate) async fn pages(&mut self, method: &str) -> Vec<Value> {
        let (mut pages, mut params) = (Vec::new(), json!({}));
        loop {
            let page = self.request(method, params).await["result"].take();
            let next = page.get("nextCursor").cloned();
            pages.push(page);
            match next {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return pages,
            }
        }
    }

    /// Calls a tool and returns the answer.
    pub(crate) async fn call(&mut self, name: &str, arguments: Value) -> Value {
        self.request("tools/call", json!({ "name": name, "arguments": arguments })).await
    }

    /// The next request of the server to this client.
    pub(crate) async fn asked(&mut self) -> Value {
        loop {
            let message = self.receive().await;
            if message.get("method").is_some() && message.get("id").is_some() {
                return message;
            }
            self.asides.push(message);
        }
    }

    pub(crate) async fn reply(&mut self, request: &Value, result: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).await;
    }

    /// Proves that what was sent so far has been handled, and returns what it caused.
    pub(crate) async fn settle(&mut self) -> Vec<Value> {
        self.call("echo", json!({ "message": "settled" })).await;
        std::mem::take(&mut self.asides)
    }
}
