//! An authorization server of somebody else's: panva's oidc-provider.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    it::support::{server::free_port, soon},
    running::Running,
};

/// It ends with the test. Each start forgets everything and has new keys.
pub(crate) struct OidcProvider {
    port: u16,
    clients: Vec<Value>,
    resources: Value,
    running: Option<Running>,
}

impl OidcProvider {
    /// One that is not started yet, and knows nobody.
    pub(crate) fn new() -> Self {
        Self { port: free_port(), clients: Vec::new(), resources: json!({}), running: None }
    }

    /// What it calls itself.
    pub(crate) fn issuer(&self) -> String {
        self.url("")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Knows this client, in the names of RFC 7591. The port of its redirect URIs does not count.
    pub(crate) fn knows(mut self, mut client: Value) -> Self {
        client["application_type"] = json!("native");
        self.clients.push(client);
        self
    }

    /// Issues tokens for this resource: `opaque` ones, or of the kind `jwt`.
    pub(crate) fn issues_for(mut self, resource: &str, kind: &str) -> Self {
        self.resources[resource] = json!(kind);
        self
    }

    pub(crate) async fn start(&mut self) {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let tools = tests.join("../../../tools");
        let config = json!({
            "port": self.port, "clients": self.clients, "resources": self.resources,
        });
        let mut command = Command::new(tools.join("node"));
        command
            .arg(tests.join("programs/oidc_provider.mjs"))
            .arg(tools.join("node_modules").canonicalize().unwrap())
            .arg(config.to_string());
        let mut running = Running::start(&mut command);
        let said = soon(running.next()).await;
        assert_eq!(said.as_deref(), Some("ready"), "{}", running.complaints().await);
        self.running = Some(running);
    }

    pub(crate) fn stop(&mut self) {
        self.running = None;
    }
}
