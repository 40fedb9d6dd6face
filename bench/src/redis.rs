//! A Redis of a measurement's own.

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::Command,
};

use crate::{
    process::{Process, Usage, free_port},
    result::Result,
};

pub(crate) struct Redis(Process);

pub(crate) struct Counts {
    /// Seconds of processor time.
    pub(crate) cpu: f64,
    pub(crate) commands: f64,
    /// Bytes of keys and values.
    pub(crate) memory: f64,
}

impl Redis {
    pub(crate) async fn start() -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--logfile", "/dev/null"]);
        Ok(Self(Process::start(command, port).await?))
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.0.port)
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        self.0.usage()
    }

    /// What it did so far, and holds.
    pub(crate) async fn counts(&self) -> Result<Counts> {
        let text = self.text().await?;
        let number = |name| number(&text, name);
        Ok(Counts {
            cpu: number("used_cpu_user")? + number("used_cpu_sys")?,
            commands: number("total_commands_processed")?,
            memory: number("used_memory_dataset")?,
        })
    }

    /// A number of `INFO`.
    pub(crate) async fn info(&self, name: &str) -> Result<f64> {
        number(&self.text().await?, name)
    }

    async fn text(&self) -> Result<String> {
        let stream = TcpStream::connect(("127.0.0.1", self.0.port)).await?;
        let mut stream = BufReader::new(stream);
        stream.write_all(b"INFO everything\r\n").await?;
        let mut length = String::new();
        stream.read_line(&mut length).await?;
        let mut text = vec![0; length.trim().trim_start_matches('$').parse()?];
        stream.read_exact(&mut text).await?;
        Ok(String::from_utf8(text)?)
    }
}

fn number(text: &str, name: &str) -> Result<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    Ok(value.ok_or_else(|| format!("INFO has no {name}"))?.trim().parse()?)
}
