//! Programs of the official TypeScript SDKs that act for themselves, with a secret, with a key, and
//! with tokens that are bound to one.

use std::process::Command;

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
