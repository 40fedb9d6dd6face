//! `FastMCP`'s client: the Python SDK, with a callback server and a browser of its own.

use super::{Deployed, HTTP, MODERN, SSE, fastmcp};

on_every_deployment!(fastmcp_over_http, fastmcp_without_sessions, fastmcp_over_sse);

async fn fastmcp_over_http(deployed: &Deployed) {
    fastmcp().signs_in(deployed, &HTTP).await;
}

async fn fastmcp_without_sessions(deployed: &Deployed) {
    fastmcp().signs_in(deployed, &MODERN).await;
}

async fn fastmcp_over_sse(deployed: &Deployed) {
    fastmcp().signs_in(deployed, &SSE).await;
}
