//! `mcp-everything check-config`

use std::process::ExitCode;

use super::{print, refuse, say, unknown_settings};
use crate::settings::{RawSettings, Settings};

pub(super) fn run(raw: &RawSettings) -> ExitCode {
    for name in unknown_settings() {
        say(&format!("{name} is no setting of this program"));
    }
    match Settings::from_raw(raw) {
        Ok(settings) => {
            for (variable, value) in settings.effective(raw) {
                print(&format!("{variable}={value}"));
            }
            ExitCode::SUCCESS
        }
        Err(problems) => refuse(&problems),
    }
}
