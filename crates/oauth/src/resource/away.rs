//! What becomes of requests while tokens cannot be checked.

use async_trait::async_trait;
use axum::{body::Body, http::Request, response::Response};

/// Decides which requests wait for whoever knows the tokens. Some clients never come back with a
/// request that is refused, so a server may hold it for a while.
#[async_trait]
pub trait WhileAway: Send + Sync + 'static {
    /// Asked whenever a request's token could not be checked. Returns when it is worth trying
    /// again; otherwise fails with the answer, which blames no token: 503, never 401.
    ///
    /// Nobody knows yet who is asking. Whatever is read of the body must be put back.
    async fn wait(&self, request: &mut Request<Body>) -> Result<(), Box<Response>>;
}
