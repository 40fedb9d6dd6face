//! The official TypeScript SDKs.

use std::process::Command;

use super::{Deployed, HTTP, MODERN, ROOT, SCRIPTS, SSE, Wire, walks};

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
    walks(deployed, test, wire, |plan| {
        let mut command = Command::new(format!("{ROOT}/tools/node"));
        command.arg(format!("{SCRIPTS}/walk.mjs")).arg(format!("{ROOT}/tools/node_modules"));
        command.arg(line).arg(plan);
        command
    })
    .await;
}
