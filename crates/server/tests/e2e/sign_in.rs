//! Clients that know nothing of this server sign in, with a user at a real browser, and use it.

pub(crate) mod user;

mod fastmcp;
pub(crate) mod inspector_web;
mod less_allowed;
mod mcp_remote;
mod mistakes;
mod python_sdk;
mod restarted;
mod typescript_sdk;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use self::user::User;
use crate::deployed::Deployed;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/clients");

/// A script that signs in with a library, and what runs it.
struct Client {
    program: PathBuf,
    arguments: Vec<String>,
    /// It does not keep where it got its token from: before it has asked again, it refreshes it at
    /// the server that it uses.
    forgets_the_issuer: bool,
}

impl Client {
    /// A script for Node that says what it found on its standard output.
    fn node(script: &str, arguments: &[&str]) -> Self {
        let script = [format!("{CLIENTS}/{script}"), format!("{ROOT}/tools/node_modules")];
        let arguments = script.into_iter().chain(arguments.iter().map(|one| (*one).to_owned()));
        let program = format!("{ROOT}/tools/node").into();
        Self { program, arguments: arguments.collect(), forgets_the_issuer: false }
    }

    /// A script for the Python in a folder of `tools/python`.
    fn python(folder: &str, script: &str) -> Self {
        let program = format!("{ROOT}/tools/python/{folder}/bin/python").into();
        let arguments = vec![format!("{CLIENTS}/{script}")];
        Self { program, arguments, forgets_the_issuer: true }
    }

    /// How it is called for this URL. What it keeps, it keeps in `home`.
    fn of(&self, transport: &Transport, url: &str, home: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args([transport.kind, transport.era, url]);
        command.arg(kept(home));
        command
    }

    /// It signs in, keeps its token, does not ask for another at its second start, and gets a new
    /// one when it needs that.
    async fn signs_in(&self, deployed: &Deployed, transport: &Transport) {
        let mut user = User::at_a_desktop().await;
        let home = tempfile::tempdir().unwrap();
        let mut command = self.of(transport, &deployed.server.url(transport.path), home.path());
        let first = user.runs(&mut command).await;
        first.is_ok();
        assert_eq!(user.asked, 1, "the user is asked once");
        assert_eq!(first.told("revision"), transport.revision);
        assert_eq!(first.told("scopes"), "mcp:read mcp:tools");
        let again = user.runs(&mut command).await;
        again.is_ok();
        let in_vain = self.forgets_the_issuer && deployed.server.trusted.is_some();
        assert_eq!(user.asked, if in_vain { 2 } else { 1 }, "what it has is good enough");
        assert_eq!(again.told("user"), first.told("user"));
    }
}

/// Where a script keeps what its next start reads.
fn kept(home: &Path) -> PathBuf {
    home.join("store")
}

/// The scripts, each with a library of its own.
fn typescript_sdk(line: &str) -> Client {
    Client::node("sign_in.mjs", &[line])
}

fn python_sdk(line: &str) -> Client {
    Client::python(&format!("mcp-{line}"), "sign_in.py")
}

fn fastmcp() -> Client {
    Client::python("fastmcp", "fastmcp_client.py")
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
