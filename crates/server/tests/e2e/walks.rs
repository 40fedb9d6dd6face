//! Real clients use everything that the server lists, on every wire that they speak.
//!
//! A client does, and says what came of it; it is judged here, by one table for all of them
//! (`walks/table.json`) and by what `docs/clients.md` says that it cannot do. A tool that is not in
//! the table fails every walk, and so does a client that can do more than the page says.

macro_rules! on_one_and_three {
    ($($walk:ident),+ $(,)?) => {
        mod in_memory { on_every_deployment!(@ in_memory $($walk)+); }
        mod three_behind_haproxy { on_every_deployment!(@ three_behind_haproxy $($walk)+); }
    };
}

mod judge;
mod page;
mod plan;

mod fastmcp;
mod inspector_cli;
mod inspector_web;
mod python_sdk;
mod rmcp_client;
mod typescript_sdk;

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;
use tokio::time::timeout;

use self::{judge::is_right, page::Known, plan::Plan};
use crate::{
    deployed::Deployed,
    it::support::{SignIn, binary, is_mcp},
    running::Running,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/walks");

/// What comes at fixed intervals comes within half a minute.
const LONGEST: Duration = Duration::from_secs(150);

/// How a client speaks to the server.
pub(super) struct Wire {
    kind: &'static str,
    era: &'static str,
    path: &'static str,
    revision: &'static str,
    /// The features that nothing could show there.
    lacks: &'static [&'static str],
}

/// What no client of these declares: each is told so.
const NOT_DECLARED: &str = "tasks of the client";

const HTTP: Wire = Wire {
    kind: "http",
    era: "legacy",
    path: "/mcp",
    revision: "2025-11-25",
    lacks: &["list changes", "tasks", NOT_DECLARED],
};

/// There is no stream to come back to, and a client asks for log messages with each request.
const MODERN: Wire = Wire {
    kind: "http",
    era: "modern",
    path: "/mcp",
    revision: "2026-07-28",
    lacks: &["resumption", "log messages", "list changes", NOT_DECLARED],
};

/// That transport has no event ids.
const SSE: Wire = Wire {
    kind: "sse",
    era: "legacy",
    path: "/sse",
    revision: "2025-11-25",
    lacks: &["resumption", "list changes", "tasks", NOT_DECLARED],
};

/// The server is a process of the client's own.
const STDIO: Wire = Wire {
    kind: "stdio",
    era: "legacy",
    path: "",
    revision: "2025-11-25",
    lacks: &["pages", "resumption", "list changes", "tasks", NOT_DECLARED],
};

const MODERN_STDIO: Wire = Wire {
    kind: "stdio",
    era: "modern",
    path: "",
    revision: "2026-07-28",
    lacks: &["pages", "resumption", "log messages", "list changes", NOT_DECLARED],
};

/// A client that is a program of its own walks through everything.
async fn walks(
    deployed: &Deployed,
    test: &str,
    wire: &Wire,
    command: impl FnOnce(&Path) -> Command,
) {
    let server = &deployed.server;
    let known = Known::of(test);
    let token = SignIn::register(server).await.tokens("ada").await.access;
    let plan = Plan::new(wire, &known, &server.url(wire.path), &token);
    is_right(said(&plan, command).await, &plan, &known, wire);
    if wire.era == "legacy" && !known.cannot.contains("cancellation") {
        server.logged("call.cancelled");
    }
    every_instance_answered(deployed);
}

/// The same where the client starts the server, with which it speaks over standard input and output.
async fn walks_alone(test: &str, wire: &Wire, command: impl FnOnce(&Path) -> Command) {
    let known = Known::of(test);
    let server = binary().get_program().to_owned();
    let plan = Plan::new(wire, &known, "", "").started_by([server.to_str().unwrap(), "stdio"]);
    is_right(said(&plan, command).await, &plan, &known, wire);
}

/// All that a program says until it ends well.
async fn said(plan: &Plan, command: impl FnOnce(&Path) -> Command) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    std::fs::write(&file, plan.json()).unwrap();
    let mut client = Running::start(command(&file).current_dir(folder.path()));
    let mut lines = Vec::new();
    let talk = async {
        while let Some(line) = client.next().await {
            lines.push(line);
        }
    };
    let ended = timeout(LONGEST, talk).await.is_ok() && client.succeeded();
    if !ended {
        let last = lines.iter().rev().take(3).map(|line| line.get(..2000).unwrap_or(line));
        let last: Vec<_> = last.collect();
        panic!("it fails after {last:#?}: {}", client.complaints().await);
    }
    lines.iter().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn every_instance_answered(deployed: &Deployed) {
    let lines = deployed.server.log.lines();
    for number in 0..deployed.server.instances.len() {
        let mut of_it = lines.iter().filter(|line| line.of(number, "http.response"));
        assert!(of_it.any(|line| is_mcp(line["path"].as_str().unwrap())), "{number} idled");
    }
}
