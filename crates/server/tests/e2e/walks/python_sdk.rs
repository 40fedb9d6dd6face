//! The official Python SDKs.

use std::{path::Path, process::Command};

use super::{
    Deployed, HTTP, MODERN, MODERN_STDIO, ROOT, SCRIPTS, SSE, STDIO, Wire, walks, walks_alone,
};

on_one_and_three!(
    python_sdk_1_walks_over_http,
    python_sdk_1_walks_over_sse,
    python_sdk_2_walks_over_http,
    python_sdk_2_walks_without_sessions,
    python_sdk_2_walks_over_sse,
);

async fn python_sdk_1_walks_over_http(deployed: &Deployed) {
    walk(deployed, "python_sdk_1_walks_over_http", "mcp-1", &HTTP).await;
}

async fn python_sdk_1_walks_over_sse(deployed: &Deployed) {
    walk(deployed, "python_sdk_1_walks_over_sse", "mcp-1", &SSE).await;
}

async fn python_sdk_2_walks_over_http(deployed: &Deployed) {
    walk(deployed, "python_sdk_2_walks_over_http", "mcp-2", &HTTP).await;
}

async fn python_sdk_2_walks_without_sessions(deployed: &Deployed) {
    walk(deployed, "python_sdk_2_walks_without_sessions", "mcp-2", &MODERN).await;
}

async fn python_sdk_2_walks_over_sse(deployed: &Deployed) {
    walk(deployed, "python_sdk_2_walks_over_sse", "mcp-2", &SSE).await;
}

async fn walk(deployed: &Deployed, test: &str, folder: &str, wire: &Wire) {
    walks(deployed, test, wire, |plan| python(folder, "mcp", plan)).await;
}

#[tokio::test]
async fn python_sdk_1_walks_over_stdio() {
    let test = "python_sdk_1_walks_over_stdio";
    walks_alone(test, &STDIO, |plan| python("mcp-1", "mcp", plan)).await;
}

#[tokio::test]
async fn python_sdk_2_walks_over_stdio() {
    let test = "python_sdk_2_walks_over_stdio";
    walks_alone(test, &STDIO, |plan| python("mcp-2", "mcp", plan)).await;
}

#[tokio::test]
async fn python_sdk_2_walks_over_stdio_without_a_session() {
    let test = "python_sdk_2_walks_over_stdio_without_a_session";
    walks_alone(test, &MODERN_STDIO, |plan| python("mcp-2", "mcp", plan)).await;
}

/// The script for the Python in a folder of `tools/python`, with a library that is there.
pub(super) fn python(folder: &str, library: &str, plan: &Path) -> Command {
    let mut command = Command::new(format!("{ROOT}/tools/python/{folder}/bin/python"));
    command.arg(format!("{SCRIPTS}/walk.py")).arg(library).arg(plan);
    command
}
