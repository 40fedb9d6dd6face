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

    /// A number of `INFO`.
    pub(crate) async fn info(&self, name: &str) -> Result<f64> {
        let stream = TcpStream::connect(("127.0.0.1", self.0.port)).await?;
        let mut stream = BufReader::new(stream);
        stream.write_all(b"INFO everything\r\n").await?;
        let mut length = String::new();
        stream.read_line(&mut length).await?;
        let mut text = vec![0; length.trim().trim_start_matches('$').parse()?];
        stream.read_exact(&mut text).await?;
        let text = String::from_utf8(text)?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(value.ok_or_else(|| format!("INFO has no {name}"))?.trim().parse()?)
    }
}
