//! What is measured, in groups.

mod calls;
mod cluster;
mod costs;
mod http_sse;
mod instructions;
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
pub(crate) const GROUPS: [&str; 8] =
    ["start", "calls", "http-sse", "cluster", "sessions", "streams", "costs", "instructions"];

pub(crate) async fn measure(group: &str, plan: Plan, report: &mut Report) -> Result<()> {
    match group {
        "start" => start::measure(plan, report).await,
        "calls" => calls::measure(plan, report).await,
        "http-sse" => http_sse::measure(plan, report).await,
        "cluster" => cluster::measure(plan, report).await,
        "sessions" => sessions::measure(plan, report).await,
        "streams" => streams::measure(report).await,
        "costs" => costs::measure(report).await,
        "instructions" => instructions::measure(report).await,
        other => Err(format!("there is no group {other}").into()),
    }
}
