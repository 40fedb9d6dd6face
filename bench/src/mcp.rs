//! What is asked of a server, on either kind of wire.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    http::{Connection, request},
    result::Result,
};

/// The two kinds of protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// 2025-11-25, in a session.
    Stateful,
    /// 2026-07-28.
    Stateless,
}

/// A request that is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) port: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The sessions it is sent in, in turn; none where there are none.
    pub(crate) sessions: Vec<String>,
}

impl Ask {
    /// `tools/call` of `tool`.
    pub(crate) fn call(
        wire: Wire,
        port: u16,
        token: Option<&str>,
        tool: &str,
        arguments: &serde_json::Value,
    ) -> Self {
        let mut headers = headers(wire, token);
        let mut params = json!({ "name": tool, "arguments": arguments });
        if wire == Wire::Stateless {
            headers.push(("Mcp-Method".to_owned(), "tools/call".to_owned()));
            headers.push(("Mcp-Name".to_owned(), tool.to_owned()));
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        Self { port, headers, body: body.to_string(), sessions: Vec::new() }
    }

    /// The tool `echo`, which every server here has.
    pub(crate) fn echo(wire: Wire, port: u16, token: Option<&str>) -> Self {
        Self::call(wire, port, token, "echo", &json!({ "message": "hello" }))
    }

    /// The same with one more of its parameters.
    pub(crate) fn with(mut self, name: &str, value: &Value) -> Result<Self> {
        let mut body: Value = serde_json::from_str(&self.body)?;
        body["params"][name] = value.clone();
        self.body = body.to_string();
        Ok(self)
    }

    /// Another request by the same client.
    pub(crate) fn about(mut self, method: &str, params: &Value) -> Self {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.body = body.to_string();
        self
    }

    /// The same in these sessions.
    pub(crate) fn within(mut self, sessions: Vec<String>) -> Self {
        self.sessions = sessions;
        self
    }

    /// The request as it is sent in one of its sessions.
    pub(crate) fn bytes(&self, session: usize) -> Vec<u8> {
        let mut headers = self.headers.clone();
        if let Some(session) = self.sessions.get(session) {
            headers.push(("Mcp-Session-Id".to_owned(), session.clone()));
        }
        request("POST", "/mcp", self.port, &headers, &self.body)
    }

    /// Asks once and looks at the answer: what is measured must be right.
    pub(crate) async fn is_answered(&self) -> Result<()> {
        let answer = Connection::open(self.port).await?.ask(&self.bytes(0)).await?;
        if answer.status == 200 && answer.body.contains("Echo: hello") {
            return Ok(());
        }
        Err(format!("port {} answers {}: {}", self.port, answer.status, answer.body).into())
    }
}

/// The headers of every message.
pub(crate) fn headers(wire: Wire, token: Option<&str>) -> Vec<(String, String)> {
    let version = match wire {
        Wire::Stateful => "2025-11-25",
        Wire::Stateless => "2026-07-28",
    };
    let mut headers = vec![
        ("Accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("MCP-Protocol-Version".to_owned(), version.to_owned()),
    ];
    if let Some(token) = token {
        headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
    }
    headers
}

/// What a client says when it has read the answer to `initialize`.
pub(crate) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// The request that begins a session.
pub(crate) fn initialize(version: &str) -> String {
    let params = json!({
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": { "name": "bench", "version": "1" },
    });
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string()
}

/// Begins so many sessions, over several connections.
pub(crate) async fn sessions(port: u16, token: Option<&str>, count: usize) -> Result<Vec<String>> {
    const CONNECTIONS: usize = 16;
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        let count = count / CONNECTIONS + usize::from(number < count % CONNECTIONS);
        let mut beginning = Beginning::open(port, token).await?;
        tasks.spawn(async move {
            let mut begun = Vec::with_capacity(count);
            for _ in 0..count {
                begun.push(beginning.session().await?);
            }
            Result::<_>::Ok(begun)
        });
    }
    let mut all = Vec::with_capacity(count);
    while let Some(begun) = tasks.join_next().await {
        all.extend(begun??);
    }
    Ok(all)
}

/// Begins sessions, one after the other.
pub(crate) struct Beginning {
    connection: Connection,
    port: u16,
    headers: Vec<(String, String)>,
    initialize: Vec<u8>,
}

impl Beginning {
    pub(crate) async fn open(port: u16, token: Option<&str>) -> Result<Self> {
        let connection = Connection::open(port).await?;
        let headers = headers(Wire::Stateful, token);
        let initialize = request("POST", "/mcp", port, &headers, &initialize("2025-11-25"));
        Ok(Self { connection, port, headers, initialize })
    }

    /// `initialize` and `notifications/initialized`: what a client does before its first call.
    pub(crate) async fn session(&mut self) -> Result<String> {
        let answer = self.connection.ask(&self.initialize).await?;
        let session = answer.session.ok_or_else(|| format!("no session: {}", answer.body))?;
        let mut headers = self.headers.clone();
        headers.push(("Mcp-Session-Id".to_owned(), session.clone()));
        let initialized = request("POST", "/mcp", self.port, &headers, INITIALIZED);
        let answer = self.connection.ask(&initialized).await?;
        if answer.status == 202 { Ok(session) } else { Err(answer.body.into()) }
    }
}
