//! The client of `FastMCP`.

use super::{Deployed, HTTP, MODERN, SSE, STDIO, Wire, python_sdk::python, walks, walks_alone};

on_one_and_three!(fastmcp_walks_over_http, fastmcp_walks_without_sessions, fastmcp_walks_over_sse);

async fn fastmcp_walks_over_http(deployed: &Deployed) {
    walk(deployed, "fastmcp_walks_over_http", &HTTP).await;
}

async fn fastmcp_walks_without_sessions(deployed: &Deployed) {
    walk(deployed, "fastmcp_walks_without_sessions", &MODERN).await;
}

async fn fastmcp_walks_over_sse(deployed: &Deployed) {
    walk(deployed, "fastmcp_walks_over_sse", &SSE).await;
}

async fn walk(deployed: &Deployed, test: &str, wire: &Wire) {
    walks(deployed, test, wire, |plan| python("fastmcp", "fastmcp", plan)).await;
}

#[tokio::test]
async fn fastmcp_walks_over_stdio() {
    let test = "fastmcp_walks_over_stdio";
    walks_alone(test, &STDIO, |plan| python("fastmcp", "fastmcp", plan)).await;
}
