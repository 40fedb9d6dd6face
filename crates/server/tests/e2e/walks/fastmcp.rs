//! The client of `FastMCP`.

use super::{Deployed, HTTP, MODERN, SSE, Wire, python_sdk::python, walks};

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
