//! What is measured, in groups.

mod calls;
mod cluster;
mod sessions;
mod start;
mod streams;

use crate::{report::Report, result::Result};

/// How often, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) seconds: u32,
}

/// The names of the groups.
pub(crate) const GROUPS: [&str; 5] = ["start", "calls", "cluster", "sessions", "streams"];

pub(crate) async fn measure(group: &str, plan: Plan, report: &mut Report) -> Result<()> {
    match group {
        "start" => start::measure(plan, report).await,
        "calls" => calls::measure(plan, report).await,
        "cluster" => cluster::measure(plan, report).await,
        "sessions" => sessions::measure(plan, report).await,
        "streams" => streams::measure(report).await,
        other => Err(format!("there is no group {other}").into()),
    }
}
