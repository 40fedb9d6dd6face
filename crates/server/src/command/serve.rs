//! `mcp-everything serve`

use std::process::ExitCode;

use super::{
    judge,
    launch::{self, Listening},
    refuse,
};
use crate::settings::{RawSettings, Role};

pub(super) async fn run(raw: &RawSettings) -> ExitCode {
    alone(raw, Role::McpServer).await
}

/// One server in this process.
pub(super) async fn alone(raw: &RawSettings, role: Role) -> ExitCode {
    match judge(raw, role) {
        Ok(settings) => {
            launch::run(&settings, || Ok(vec![Listening::new(raw, settings.clone())?])).await
        }
        Err(problems) => refuse(&problems),
    }
}
