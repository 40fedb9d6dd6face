//! The MCP Everything Server.

mod app;
mod changes;
mod command;
mod elicitations;
mod fetch;
mod http;
mod instance;
mod login;
mod metrics;
mod net;
mod session;
mod settings;
mod shelf;
mod status;
mod tasks;
mod telemetry;
mod unasked;

use std::process::ExitCode;

use clap::Parser as _;

use crate::command::Cli;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before any thread is started: this changes the environment.
    let dotenv = command::dotenv();
    let cli = Cli::parse();
    let runtime = match cli.runtime() {
        Ok(runtime) => runtime,
        Err(error) => return command::fail(&format!("no runtime: {error}")),
    };
    let code = runtime.block_on(command::run(cli, dotenv));
    // What still reads standard input cannot be told to stop, and nobody waits for it.
    runtime.shutdown_background();
    code
}
