//! Load by wrk: one thread of C, so that it takes as little as may be of the cores it shares.

use std::{fs, path::Path, process::Stdio};

use serde_json::Value;
use tokio::process::Command;

use crate::{mcp::Ask, result::Result};

const SCRIPT: &str = include_str!("../wrk.lua");

/// What came of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Requests answered in a second.
    pub(crate) rate: f64,
    /// Requests answered.
    pub(crate) requests: f64,
    /// The time that 99 of 100 answers took at most, in microseconds.
    pub(crate) p99: f64,
}

/// Asks for so many seconds, over so many connections. Whatever fails fails the run.
pub(crate) async fn run(ask: &Ask, connections: usize, seconds: u32) -> Result<Run> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str, text: &str| -> Result<String> {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let script = file("wrk.lua", SCRIPT)?;
    let sessions = if ask.sessions.is_empty() { "-".to_owned() } else { ask.sessions.join("\n") };
    let sessions = file("sessions", &sessions)?;
    let body = file("body", &ask.body)?;
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "-s", &script]);
    for (name, value) in &ask.headers {
        wrk.args(["-H", &format!("{name}: {value}")]);
    }
    wrk.arg(format!("http://127.0.0.1:{}/mcp", ask.port)).args(["--", &sessions, &body]);
    wrk.stdin(Stdio::null()).kill_on_drop(true);
    let output = wrk.output().await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find(|line| line.starts_with('{'));
    let told: Value = serde_json::from_str(line.ok_or_else(|| format!("wrk said {said}"))?)?;
    let number = |name: &str| told[name].as_f64().unwrap_or_default();
    if number("failed") > 0.0 || number("requests") < 1.0 {
        return Err(format!("{} of {} requests failed", told["failed"], told["requests"]).into());
    }
    Ok(Run {
        rate: number("requests") / number("micros") * 1e6,
        requests: number("requests"),
        p99: number("p99"),
    })
}

/// Whether the program is there.
pub(crate) fn is_installed() -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| Path::new(&folder).join("wrk").exists())
    })
}
