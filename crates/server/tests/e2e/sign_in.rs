//! Clients that know nothing of this server sign in, with a user at a real browser, and use it.

#[macro_use]
mod on_every_deployment;
mod deployed;
mod user;

mod fastmcp;
mod inspector_web;
mod mcp_remote;
mod python_sdk;
mod typescript_sdk;

use std::{path::PathBuf, process::Command};

use self::{deployed::Deployed, user::User};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/clients");

/// A script that signs in with a library, and what runs it.
struct Client {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Client {
    /// A script for Node that says what it found on its standard output.
    fn node(script: &str, arguments: &[&str]) -> Self {
        let script = [format!("{CLIENTS}/{script}"), format!("{ROOT}/tools/node_modules")];
        let arguments = script.into_iter().chain(arguments.iter().map(|one| (*one).to_owned()));
        Self { program: format!("{ROOT}/tools/node").into(), arguments: arguments.collect() }
    }

    /// A script for the Python in a folder of `tools/python`.
    fn python(folder: &str, script: &str) -> Self {
        let program = format!("{ROOT}/tools/python/{folder}/bin/python").into();
        Self { program, arguments: vec![format!("{CLIENTS}/{script}")] }
    }

    /// It signs in, keeps its token, does not ask for another at its second start, and gets a new
    /// one when it needs that.
    async fn signs_in(&self, deployed: &Deployed, transport: &Transport) {
        let mut user = User::at_a_desktop().await;
        let kept = tempfile::tempdir().unwrap();
        let url = deployed.server.url(transport.path);
        let mut command = Command::new(&self.program);
        let [kind, era] = [transport.kind, transport.era];
        command.args(&self.arguments).args([kind, era, &url]).arg(kept.path().join("store"));

        let first = user.runs(&mut command).await;
        first.is_ok();
        assert_eq!(user.asked, 1, "the user is asked once");
        assert_eq!(first.told("revision"), transport.revision);
        assert_eq!(first.told("scopes"), "mcp:read mcp:tools");
        let again = user.runs(&mut command).await;
        again.is_ok();
        assert_eq!(user.asked, 1, "what it has is good enough");
        assert_eq!(again.told("user"), first.told("user"));
    }
}

/// How a client speaks to the server.
struct Transport {
    kind: &'static str,
    era: &'static str,
    path: &'static str,
    revision: &'static str,
}

const HTTP: Transport =
    Transport { kind: "http", era: "legacy", path: "/mcp", revision: "2025-11-25" };
const MODERN: Transport =
    Transport { kind: "http", era: "modern", path: "/mcp", revision: "2026-07-28" };
const SSE: Transport =
    Transport { kind: "sse", era: "legacy", path: "/sse", revision: "2025-11-25" };
