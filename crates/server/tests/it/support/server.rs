//! The binary, running.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
};

use serde_json::Value;

use super::BOUND;

/// A server process of its own. It ends with the test, also when that fails.
pub(crate) struct Server {
    child: Child,
    log: Arc<Log>,
    /// Its public URL.
    pub(crate) base: String,
    _home: tempfile::TempDir,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<Value>>,
    more: Condvar,
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-everything"));
    // What the machine or a `.env` sets for other servers is not for this one.
    command.env_clear().stdin(Stdio::null());
    command
}

impl Server {
    /// With authentication.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With these settings besides.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = binary()
            .current_dir(home.path())
            .env("PORT", "0")
            .env("LOG_FORMAT", "json")
            .env("RUST_LOG", "debug")
            .env("DRAIN_DELAY", "10ms")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Log::default());
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in stdout.lines().map_while(Result::ok) {
                    let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                    log.lines.lock().unwrap().push(line);
                    log.more.notify_all();
                }
            }
        });
        let mut server = Self { child, log, base: String::new(), _home: home };
        let started = server.logged("server.started");
        let endpoint = started["endpoint"].as_str().unwrap();
        endpoint.strip_suffix("/mcp").unwrap().clone_into(&mut server.base);
        server
    }

    /// Without authentication.
    pub(crate) fn open() -> Self {
        Self::with(&[("AUTH_MODE", "none")])
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Waits for a line of the log with this event.
    pub(crate) fn logged(&self, event: &str) -> Value {
        self.logged_where(|line| line["event"] == event)
            .unwrap_or_else(|| panic!("no {event} in the log"))
    }

    /// Waits for a line of the log.
    pub(crate) fn logged_where(&self, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        let lines = self.log.lines.lock().unwrap();
        let missing = |lines: &mut Vec<Value>| !lines.iter().any(&is_it);
        let (lines, _) = self.log.more.wait_timeout_while(lines, BOUND, missing).unwrap();
        lines.iter().find(|line| is_it(line)).cloned()
    }

    /// Everything it wrote so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.lines.lock().unwrap().clone()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
