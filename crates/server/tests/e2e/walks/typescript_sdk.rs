//! The official TypeScript SDKs.

use std::{path::Path, process::Command};

use super::{
    Deployed, HTTP, MODERN, MODERN_STDIO, ROOT, SCRIPTS, SSE, STDIO, Wire, walks, walks_alone,
};

on_one_and_three!(
    typescript_sdk_1_walks_over_http,
    typescript_sdk_1_walks_over_sse,
    typescript_sdk_2_walks_over_http,
    typescript_sdk_2_walks_without_sessions,
    typescript_sdk_2_walks_over_sse,
);

async fn typescript_sdk_1_walks_over_http(deployed: &Deployed) {
    walk(deployed, "typescript_sdk_1_walks_over_http", "1", &HTTP).await;
}

async fn typescript_sdk_1_walks_over_sse(deployed: &Deployed) {
    walk(deployed, "typescript_sdk_1_walks_over_sse", "1", &SSE).await;
}

async fn typescript_sdk_2_walks_over_http(deployed: &Deployed) {
    walk(deployed, "typescript_sdk_2_walks_over_http", "2", &HTTP).await;
}

async fn typescript_sdk_2_walks_without_sessions(deployed: &Deployed) {
    walk(deployed, "typescript_sdk_2_walks_without_sessions", "2", &MODERN).await;
}

async fn typescript_sdk_2_walks_over_sse(deployed: &Deployed) {
    walk(deployed, "typescript_sdk_2_walks_over_sse", "2", &SSE).await;
}

async fn walk(deployed: &Deployed, test: &str, line: &str, wire: &Wire) {
    walks(deployed, test, wire, |plan| node(line, plan)).await;
}

#[tokio::test]
async fn typescript_sdk_1_walks_over_stdio() {
    let test = "typescript_sdk_1_walks_over_stdio";
    walks_alone(test, &STDIO, |plan| node("1", plan)).await;
}

#[tokio::test]
async fn typescript_sdk_2_walks_over_stdio() {
    let test = "typescript_sdk_2_walks_over_stdio";
    walks_alone(test, &STDIO, |plan| node("2", plan)).await;
}

#[tokio::test]
async fn typescript_sdk_2_walks_over_stdio_without_a_session() {
    let test = "typescript_sdk_2_walks_over_stdio_without_a_session";
    walks_alone(test, &MODERN_STDIO, |plan| node("2", plan)).await;
}

fn node(line: &str, plan: &Path) -> Command {
    let mut command = Command::new(format!("{ROOT}/tools/node"));
    command.arg(format!("{SCRIPTS}/walk.mjs")).arg(format!("{ROOT}/tools/node_modules"));
    command.arg(line).arg(plan);
    command
}
