//! `mcp-everything dev`

use std::process::ExitCode;

use super::{
    judge,
    launch::{self, Listening},
    refuse,
};
use crate::settings::{RawSettings, Role, Settings};

/// Two servers that share this process and nothing else: what the authorization server keeps is in
/// memory, also where the MCP server keeps everything in Redis.
pub(super) async fn run(raw: &RawSettings) -> ExitCode {
    let mode = raw.auth_mode.as_deref().map(str::trim).filter(|mode| !mode.is_empty());
    if let Some(mode) = mode.filter(|mode| *mode != "separate") {
        return refuse(&[format!("AUTH_MODE is {mode:?}; `dev` takes separate")]);
    }
    let raw = RawSettings { auth_mode: Some("separate".to_owned()), ..raw.clone() };
    let raw_of_auth_server = RawSettings {
        redis_url: None,
        redis_password: None,
        redis_tls: None,
        redis_tls_ca: None,
        ..raw.clone()
    };
    let both = (judge(&raw, Role::McpServer), judge(&raw_of_auth_server, Role::AuthServer));
    let (mcp_server, auth_server) = match both {
        (Ok(mcp_server), Ok(auth_server)) => (beside(mcp_server), beside(auth_server)),
        // What is wrong for one of them is mostly wrong for both.
        (Err(problems), _) | (Ok(_), Err(problems)) => return refuse(&problems),
    };
    let listening = || {
        let auth_server = Listening::new(&raw_of_auth_server, auth_server)?;
        let auth_server_port = Some(auth_server.port().to_string());
        let raw = RawSettings { auth_server_port, ..raw.clone() };
        let settings = judge(&raw, Role::McpServer).map_err(|problems| problems.join("; "))?;
        Ok(vec![auth_server, Listening::new(&raw, beside(settings))?])
    };
    launch::run(&mcp_server, listening).await
}

fn beside(settings: Settings) -> Settings {
    Settings { beside_another: true, ..settings }
}
