//! A server to test, and clients to test it with.

mod mcp;
mod server;
mod sign_in;

use std::time::Duration;

pub(crate) use mcp::{Answer, Mcp, Stream, call};
pub(crate) use server::{Server, binary};
pub(crate) use sign_in::{SignIn, VERIFIER};

/// No test waits longer for anything that does not come at a fixed time.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, what).await.expect("it happens within the bound")
}
