//! Programs of the official TypeScript SDKs that act for themselves, with a secret, with a key, and
//! with tokens that are bound to one.

use std::process::Command;

use mcp_everything_fetch::testing::certificate;

use crate::{it::support::Server, running::Running};

const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools");
const SCRIPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/external/programs_without_users.mjs");

#[tokio::test]
async fn they_need_nobody() {
    for nonces in ["off", "on"] {
        let server = Server::with(&[("OPEN_CLIENT_CREDENTIALS", "on"), ("DPOP_NONCES", nonces)]);
        let mut command = Command::new(format!("{TOOLS}/node"));
        command.args([SCRIPT, &format!("{TOOLS}/node_modules"), &server.base]);
        let said = Running::start(&mut command).rest().await;
        assert_eq!(said, "ok", "with nonces {nonces}");
    }
}

/// With a certificate that Node is told to trust.
#[tokio::test]
async fn they_need_nobody_over_tls() {
    let folder = certificate();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let server =
        Server::with(&[("OPEN_CLIENT_CREDENTIALS", "on"), ("TLS_CERT", cert), ("TLS_KEY", key)]);
    assert!(server.base.starts_with("https://"));
    let mut command = Command::new(format!("{TOOLS}/node"));
    command.args([SCRIPT, &format!("{TOOLS}/node_modules"), &server.base]);
    command.env("NODE_EXTRA_CA_CERTS", cert);
    assert_eq!(Running::start(&mut command).rest().await, "ok");
}
