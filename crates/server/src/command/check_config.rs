//! `mcp-everything check-config`

use std::process::ExitCode;

use super::{judge, print, refuse, say, unknown_settings};
use crate::settings::{RawSettings, Role};

pub(super) fn run(raw: &RawSettings) -> ExitCode {
    for (name, meant) in unknown_settings() {
        say(&format!("{name} is no setting of this program{meant}"));
    }
    match judge(raw, Role::McpServer) {
        Ok(settings) => {
            settings.hints.iter().for_each(|hint| say(hint));
            for (variable, value) in settings.effective(raw) {
                print(&format!("{variable}={value}"));
            }
            ExitCode::SUCCESS
        }
        Err(problems) => refuse(&problems),
    }
}
