//! The command line. Each command is the file of its name.

mod auth_server;
mod check_config;
mod completions;
mod dev;
mod healthcheck;
mod launch;
mod login;
mod serve;
mod stdio;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

use crate::settings::{RawSettings, Role, Settings, nearest, unknown_variables, usual_runtime};

/// A remote MCP server that shows every feature of the Model Context Protocol.
///
/// Every setting is a flag and an environment variable; a flag beats the environment, which beats
/// a `.env` file in the working directory.
#[derive(Debug, Parser)]
#[command(version, name = "mcp-everything", max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: RawSettings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the MCP server (what happens without a command)
    Serve,
    /// Serve one client over standard input and output, without sign-in; logs go to stderr
    Stdio,
    /// Run the standalone authorization server
    AuthServer,
    /// For development: both, in separate mode
    Dev,
    /// For development: sign in by script and print the access token
    Login(login::Login),
    /// Print the effective settings with secrets masked, or everything that is wrong with them
    CheckConfig,
    /// Ask a running server whether it is ready; for containers
    Healthcheck,
    /// Print a script by which a shell completes commands and flags
    Completions(completions::Completions),
}

impl Cli {
    /// What the command runs on.
    pub(crate) fn runtime(&self) -> io::Result<Runtime> {
        match self.command {
            None | Some(Command::Serve | Command::AuthServer | Command::Dev) => {
                self.settings.runtime()
            }
            Some(_) => usual_runtime(),
        }
    }
}

/// What became of the `.env` file.
pub(crate) type DotEnv = Result<(), dotenvy::Error>;

/// Reads `.env` of the working directory, if there is one, and of no folder above: whose that is
/// nobody knows.
pub(crate) fn dotenv() -> DotEnv {
    match dotenvy::from_path(".env") {
        Err(error) if !error.not_found() => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(crate) async fn run(cli: Cli, dotenv: DotEnv) -> ExitCode {
    let Cli { command, settings: raw } = cli;
    let command = command.unwrap_or(Command::Serve);
    // A shell starts wherever its user is, and the `.env` there may be of another program.
    if let (Err(error), false) = (dotenv, matches!(command, Command::Completions(_))) {
        return fail(&format!(".env cannot be read: {error}"));
    }
    match command {
        Command::Serve => serve::run(&raw).await,
        Command::Stdio => stdio::run(&raw).await,
        Command::AuthServer => auth_server::run(&raw).await,
        // Boxed: two servers would make the future of every command as large.
        Command::Dev => Box::pin(dev::run(&raw)).await,
        Command::CheckConfig => check_config::run(&raw),
        Command::Healthcheck => match judge(&raw, Role::McpServer) {
            Ok(settings) => healthcheck::run(&settings).await,
            Err(problems) => refuse(&problems),
        },
        Command::Login(login) => login::run(login, &raw).await,
        Command::Completions(completions) => completions::run(completions),
    }
}

/// The settings, or one line for each that is wrong.
fn judge(raw: &RawSettings, role: Role) -> Result<Settings, Vec<String>> {
    Settings::from_raw(raw, role)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn refuse(problems: &[String]) -> ExitCode {
    for problem in problems {
        say(problem);
    }
    ExitCode::FAILURE
}

/// Says on stderr why the command cannot go on.
pub(crate) fn fail(reason: &str) -> ExitCode {
    say(reason);
    ExitCode::FAILURE
}

fn say(line: &str) {
    // Nobody is left to be told if this fails.
    let _ = writeln!(io::stderr(), "mcp-everything: {line}");
}

/// Prints a result on stdout. A reader that went away, such as `head`, has read what it wanted.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Each variable that looks like a setting and is none, with what may have been meant.
fn unknown_settings() -> Vec<(String, String)> {
    let known = RawSettings::VARIABLES;
    let unknown = unknown_variables(variables().map(|(name, _)| name), known);
    let meant = |name: &str| nearest(name, known).map(|near| format!("; {near} is one"));
    let with_what_was_meant = |name: String| {
        let meant = meant(&name).unwrap_or_default();
        (name, meant)
    };
    unknown.map(with_what_was_meant).collect()
}

fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
