//! Requests whose tokens cannot be looked up are held as those whose sessions cannot.

use async_trait::async_trait;
use axum::{body::Body, response::Response};
use http::Request;
use mcp_everything_features::Everything;
use mcp_everything_oauth::WhileAway;
use mcp_everything_transport::Endpoint;

pub(super) struct Held(pub(super) Endpoint<Everything>);

#[async_trait]
impl WhileAway for Held {
    async fn wait(&self, request: &mut Request<Body>) -> Result<(), Box<Response>> {
        self.0.hold(request).await
    }
}
