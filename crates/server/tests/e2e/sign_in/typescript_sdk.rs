//! The official TypeScript SDKs, each with its own OAuth client.

use super::{Deployed, HTTP, MODERN, SSE, typescript_sdk};

on_every_deployment!(
    typescript_sdk_1_over_http,
    typescript_sdk_1_over_sse,
    typescript_sdk_2_over_http,
    typescript_sdk_2_without_sessions,
    typescript_sdk_2_over_sse,
);

async fn typescript_sdk_1_over_http(deployed: &Deployed) {
    typescript_sdk("1").signs_in(deployed, &HTTP).await;
}

async fn typescript_sdk_1_over_sse(deployed: &Deployed) {
    typescript_sdk("1").signs_in(deployed, &SSE).await;
}

async fn typescript_sdk_2_over_http(deployed: &Deployed) {
    typescript_sdk("2").signs_in(deployed, &HTTP).await;
}

async fn typescript_sdk_2_without_sessions(deployed: &Deployed) {
    typescript_sdk("2").signs_in(deployed, &MODERN).await;
}

async fn typescript_sdk_2_over_sse(deployed: &Deployed) {
    typescript_sdk("2").signs_in(deployed, &SSE).await;
}
