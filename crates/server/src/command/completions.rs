//! `mcp-everything completions`

use std::{io, process::ExitCode};

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::Cli;

/// Whose completions.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Completions {
    /// The shell that will read the script
    shell: Shell,
}

pub(super) fn run(asked: Completions) -> ExitCode {
    let mut script = Vec::new();
    generate(asked.shell, &mut Cli::command(), "mcp-everything", &mut script);
    // For bash a program with a hyphen in its name is called two things by the library, and its
    // commands are not found.
    let script = String::from_utf8_lossy(&script);
    let script = script.replace("mcp__subcmd__everything", "mcp__everything");
    match io::Write::write_all(&mut io::stdout(), script.as_bytes()) {
        // A reader that went away, such as `head`, has read what it wanted.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}
