//! The binary, running.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::Arc,
    thread::JoinHandle,
};

use serde_json::Value;

use super::{log::Log, secrets};

/// The setting for a log of little more than that an instance is there, for which its test waits.
pub(crate) const QUIET: (&str, &str) = ("RUST_LOG", "warn,mcp_everything::command=info");

/// A process of its own. It ends with the test, also when that fails.
pub(crate) struct Instance {
    command: &'static str,
    number: usize,
    settings: Vec<(String, String)>,
    log: Arc<Log>,
    child: Child,
    reader: Option<JoinHandle<()>>,
    /// Where it listens.
    pub(crate) port: u16,
    _home: tempfile::TempDir,
}

/// The binary that was built for the tests, or the one that `MCP_EVERYTHING` names, from the root of
/// the workspace.
pub(crate) fn binary() -> Command {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_mcp-everything"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("MCP_EVERYTHING").map(|named| root.join(named));
    let mut command = Command::new(named.unwrap_or(built));
    // What the machine or a `.env` sets for other servers is not for this one.
    command.env_clear().stdin(Stdio::null());
    command
}

impl Instance {
    /// Starts one, whose lines in the log are those of `number`.
    pub(crate) fn start(number: usize, settings: &[(&str, &str)], log: &Arc<Log>) -> Self {
        Self::launch("serve", number, owned(settings), Arc::clone(log))
    }

    /// The same of the authorization server alone.
    pub(crate) fn auth_server(number: usize, settings: &[(&str, &str)], log: &Arc<Log>) -> Self {
        Self::launch("auth-server", number, owned(settings), Arc::clone(log))
    }

    /// The same of both in one process.
    pub(crate) fn dev(number: usize, settings: &[(&str, &str)], log: &Arc<Log>) -> Self {
        Self::launch("dev", number, owned(settings), Arc::clone(log))
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Whoever reads the log afterwards reads all of it.
        let _ = self.reader.take().map(JoinHandle::join);
    }

    /// Starts it again when it has ended, with the same settings.
    pub(crate) fn restart(&mut self) {
        self.kill();
        *self =
            Self::launch(self.command, self.number, self.settings.clone(), Arc::clone(&self.log));
    }

    fn launch(
        command: &'static str,
        number: usize,
        settings: Vec<(String, String)>,
        log: Arc<Log>,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (name, value) in &settings {
            secrets::seen_in_setting(name, value);
        }
        let mut child = binary()
            .arg(command)
            .current_dir(home.path())
            .env("PORT", "0")
            .env("LOG_FORMAT", "json")
            .env("RUST_LOG", "debug")
            .env("DRAIN_DELAY", "10ms")
            // All clients are on one machine, and some are in a hurry.
            .env("RATE_LIMITS", "off")
            .envs(settings.iter().cloned())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let seen = log.len();
        let reader = std::thread::spawn({
            let log = Arc::clone(&log);
            move || read(number, stdout, &log)
        });
        let reader = Some(reader);
        let mut instance =
            Self { command, number, settings, log, child, reader, port: 0, _home: home };
        let started = instance.log.find_after(seen, |line| line.of(number, "server.started"));
        let started = started.unwrap_or_else(|| panic!("instance {number} does not start"));
        instance.port = started["port"].as_u64().unwrap().try_into().unwrap();
        instance
    }

    /// Of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
    }
}

fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(number: usize, stdout: ChildStdout, log: &Log) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        log.add(number, serde_json::from_str(&line).unwrap_or(Value::String(line)));
    }
}
