//! Programs of the official TypeScript SDKs that act for themselves, with a secret, with a key, and
//! with tokens that are bound to one.

use std::path::Path;

use crate::{it::support::Server, running::Running, tools};

const SCRIPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/external/programs_without_users.mjs");

#[tokio::test]
async fn they_need_nobody() {
    for nonces in ["off", "on"] {
        let server = Server::with(&[("OPEN_CLIENT_CREDENTIALS", "on"), ("DPOP_NONCES", nonces)]);
        let mut command = tools::node(Path::new(SCRIPT));
        let said = Running::start(command.arg(&server.base)).rest().await;
        assert_eq!(said, "ok", "with nonces {nonces}");
    }
}
