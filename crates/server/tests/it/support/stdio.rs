//! The binary with a client at its standard streams.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::fd::OwnedFd,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, mpsc},
};

use serde_json::{Value, json};

use super::{BOUND, Log, binary};

/// A process whose standard streams are the test's. It ends with the test, also when that fails.
pub(crate) struct Piped {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    lines: Option<mpsc::Receiver<String>>,
    log: Arc<Log>,
    /// Its log ends with it.
    ended: mpsc::Receiver<()>,
    _home: tempfile::TempDir,
}

impl Piped {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = binary()
            .arg("stdio")
            .current_dir(home.path())
            .env("RUST_LOG", "debug")
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (log, stderr) = (Arc::new(Log::default()), child.stderr.take().unwrap());
        let (sender, ended) = mpsc::channel();
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                let _ended: mpsc::Sender<()> = sender;
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    log.add(0, serde_json::from_str(&line).unwrap_or(Value::String(line)));
                }
            }
        });
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Self { child, stdin, stdout, lines: None, log, ended, _home: home }
    }

    /// Its standard streams, for a client that is another program's.
    pub(crate) fn streams(&mut self) -> (tokio::fs::File, tokio::fs::File) {
        let file = |stream: OwnedFd| tokio::fs::File::from(std::fs::File::from(stream));
        (file(self.stdout.take().unwrap().into()), file(self.stdin.take().unwrap().into()))
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.write(format!("{message}\n").as_bytes());
    }

    /// Writes without regard to lines.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    /// The next message, which every line of its output is; `None` at the end of it.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let lines = self.lines.get_or_insert_with(|| {
            let (sender, lines) = mpsc::channel();
            let stdout = self.stdout.take().unwrap();
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
            lines
        });
        let line = match lines.recv_timeout(BOUND) {
            Ok(line) => line,
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("nothing comes"),
        };
        let message: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: stdout has a line that is no JSON: {line}"));
        for part in message.as_array().unwrap_or(&vec![message.clone()]) {
            assert_eq!(part["jsonrpc"], "2.0", "{line}");
        }
        Some(message)
    }

    /// The next message that is looked for; others are passed over.
    pub(crate) fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next().expect("it comes");
            if is_it(&message) {
                return message;
            }
        }
    }

    /// Sends a request and waits for its answer; what comes before that is passed over.
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        self.send(request);
        let id = &request["id"];
        self.until(|message| message["id"] == *id && message.get("method").is_none())
    }

    /// Begins a session.
    pub(crate) fn initialize(&mut self, version: &str, capabilities: &Value) -> Value {
        let answer = self.ask(&json!({
            "jsonrpc": "2.0", "id": "begin", "method": "initialize",
            "params": {
                "protocolVersion": version, "capabilities": capabilities,
                "clientInfo": { "name": "test", "version": "1" }
            }
        }));
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        answer
    }

    /// The client leaves.
    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    /// Nobody reads its output any more.
    pub(crate) fn close_output(&mut self) {
        self.stdout = None;
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let ended = self.ended.recv_timeout(BOUND);
        assert_eq!(ended, Err(mpsc::RecvTimeoutError::Disconnected), "it ends");
        self.child.wait().unwrap()
    }

    /// A line of its log, which may be yet to come.
    pub(crate) fn logged(&self, event: &str) -> Value {
        let line = self.log.find_after(0, |line| line.of(0, event));
        (*line.unwrap_or_else(|| panic!("{event} is logged"))).clone()
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.lines().iter().map(|line| (**line).clone()).collect()
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Whoever looks at the log afterwards looks at all of it.
        let _ = self.ended.recv_timeout(BOUND);
    }
}
