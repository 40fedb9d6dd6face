//! Three instances that share a Redis, where the tests choose which of them is asked.

mod any_instance;
mod http_sse;
mod killed;
mod lives;
mod redis_cli;
mod sign_in;
mod streams;

use std::time::Duration;

use tokio::time::Instant;

use crate::support::Stream;

/// Lets a call run until the instances have heard of each other for so long that they take one of
/// them for dead.
async fn steady(calling: &mut Stream) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        calling.until("notifications/progress").await;
    }
}
