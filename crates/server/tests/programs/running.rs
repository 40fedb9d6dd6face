//! A program of others, running.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use crate::it::support::{BOUND, soon};

/// It ends with the test, also when that fails.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: UnboundedReceiver<String>,
    stderr: UnboundedReceiver<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        let stdin = child.stdin.take();
        Self { child, stdin, stdout, stderr }
    }

    /// The next line it says; `None`: it says no more. Waits as long as that takes.
    pub(crate) async fn next(&mut self) -> Option<String> {
        self.stdout.recv().await
    }

    /// What it says until its end, which is a good one.
    pub(crate) async fn rest(mut self) -> String {
        self.stdin = None;
        let mut all = String::new();
        while let Some(line) = soon(self.next()).await {
            all += &line;
        }
        assert!(self.succeeded(), "{}", self.complaints().await);
        all
    }

    /// The next line of its standard error with this in it.
    pub(crate) async fn complains(&mut self, of: &str) -> String {
        let mut others = Vec::new();
        let found = async {
            loop {
                match self.stderr.recv().await {
                    Some(line) if line.contains(of) => break line,
                    Some(line) => others.push(line),
                    None => panic!("it ended"),
                }
            }
        };
        timeout(BOUND, found).await.unwrap_or_else(|_| panic!("not of {of}, but: {others:?}"))
    }

    /// Gives it a line to read.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }

    /// Whether it ended well. It has said all it has to say.
    pub(crate) fn succeeded(&mut self) -> bool {
        self.wait().success()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Ends it; what is left of its standard error.
    pub(crate) async fn complaints(&mut self) -> String {
        self.end();
        let mut all = String::new();
        while let Some(line) = soon(self.stderr.recv()).await {
            all += &line;
            all.push('\n');
        }
        all
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn lines(from: impl Read + Send + 'static) -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}
