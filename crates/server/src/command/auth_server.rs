//! `mcp-everything auth-server`

use std::process::ExitCode;

use super::serve;
use crate::settings::{RawSettings, Role};

pub(super) async fn run(raw: &RawSettings) -> ExitCode {
    serve::alone(raw, Role::AuthServer).await
}
