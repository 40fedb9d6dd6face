//! The official Python SDKs, each with its own OAuth client.

use super::{Deployed, HTTP, MODERN, SSE, python_sdk};

on_every_deployment!(
    python_sdk_1_over_http,
    python_sdk_1_over_sse,
    python_sdk_2_over_http,
    python_sdk_2_without_sessions,
    python_sdk_2_over_sse,
);

async fn python_sdk_1_over_http(deployed: &Deployed) {
    python_sdk("1").signs_in(deployed, &HTTP).await;
}

async fn python_sdk_1_over_sse(deployed: &Deployed) {
    python_sdk("1").signs_in(deployed, &SSE).await;
}

async fn python_sdk_2_over_http(deployed: &Deployed) {
    python_sdk("2").signs_in(deployed, &HTTP).await;
}

async fn python_sdk_2_without_sessions(deployed: &Deployed) {
    python_sdk("2").signs_in(deployed, &MODERN).await;
}

async fn python_sdk_2_over_sse(deployed: &Deployed) {
    python_sdk("2").signs_in(deployed, &SSE).await;
}
