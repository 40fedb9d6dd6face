//! The official Python SDKs, each with its own OAuth client.

use super::{Client, Deployed, HTTP, MODERN, SSE};

on_every_deployment!(
    python_sdk_1_over_http,
    python_sdk_1_over_sse,
    python_sdk_2_over_http,
    python_sdk_2_without_sessions,
    python_sdk_2_over_sse,
);

async fn python_sdk_1_over_http(deployed: &Deployed) {
    Client::python("mcp-1", "sign_in.py").signs_in(deployed, &HTTP).await;
}

async fn python_sdk_1_over_sse(deployed: &Deployed) {
    Client::python("mcp-1", "sign_in.py").signs_in(deployed, &SSE).await;
}

async fn python_sdk_2_over_http(deployed: &Deployed) {
    Client::python("mcp-2", "sign_in.py").signs_in(deployed, &HTTP).await;
}

async fn python_sdk_2_without_sessions(deployed: &Deployed) {
    Client::python("mcp-2", "sign_in.py").signs_in(deployed, &MODERN).await;
}

async fn python_sdk_2_over_sse(deployed: &Deployed) {
    Client::python("mcp-2", "sign_in.py").signs_in(deployed, &SSE).await;
}
