//! A server to test, and clients to test it with.

pub(crate) mod balancer;
mod collector;
mod deployment;
mod http_sse;
mod instance;
mod log;
mod mcp;
pub(crate) mod rows;
pub(crate) mod secrets;
pub(crate) mod server;
pub(crate) mod sign_in;
pub(crate) mod signer;
mod stdio;

use std::{path::PathBuf, time::Duration};

pub(crate) use collector::{Collector, Exported};
pub(crate) use deployment::Deployment;
pub(crate) use http_sse::{Sse, SseTransport};
pub(crate) use instance::{Instance, QUIET, binary};
pub(crate) use log::Log;
pub(crate) use mcp::{Answer, Mcp, Stream, call, initialize};
pub(crate) use server::{AuthServer, Server, free_port};
pub(crate) use sign_in::{SignIn, VERIFIER};
pub(crate) use stdio::Piped;

/// No test waits longer for anything that does not come at a fixed time.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, what).await.expect("it happens within the bound")
}

/// Whether MCP is spoken there.
pub(crate) fn is_mcp(path: &str) -> bool {
    matches!(path.trim_end_matches('/'), "/mcp" | "/sse" | "/message")
}

/// The sources of every crate, without their tests.
pub(crate) fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                found.push(source.split("\nmod tests {").next().unwrap().to_owned());
            }
        }
    }
    found
}
