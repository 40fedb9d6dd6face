//! `mcp-everything login`
#![expect(clippy::doc_markdown, reason = "the comments are help texts")]

use std::process::ExitCode;

use clap::Args;

use super::{fail, judge, print, refuse};
use crate::{
    login::{self, Wanted},
    settings::{RawSettings, Role},
};

/// What to sign in to, and as whom.
#[derive(Args, Debug)]
pub(crate) struct Login {
    /// The server's URL [default: BASE_URI]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The user id to give the fake identity provider [default: the one it suggests]
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// The scopes to ask for, separated by spaces [default: those the server names]
    #[arg(long, value_name = "S")]
    scope: Option<String>,
}

pub(super) async fn run(login: Login, raw: &RawSettings) -> ExitCode {
    let (server, own) = match (login.server, judge(raw, Role::McpServer)) {
        (Some(server), settings) => (server, settings.ok().and_then(|settings| settings.tls)),
        (None, Ok(settings)) => (settings.base_uri.as_str().to_owned(), settings.tls),
        (None, Err(problems)) => return refuse(&problems),
    };
    let wanted = Wanted { server, own, user: login.user, scope: login.scope };
    match login::token(&wanted).await {
        Ok(token) => {
            print(&token);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("cannot sign in: {error}")),
    }
}
