//! Just enough of a client for HTTP/1.1 to count every byte of what it costs the server, and next
//! to nothing itself: thousands of connections are open at a time.

use std::net::Ipv4Addr;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::result::Result;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// An answer, of which `body` is whole unless it is an event stream that goes on.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) session: Option<String>,
    pub(crate) body: String,
}

struct Head {
    status: u16,
    session: Option<String>,
    length: Option<usize>,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(1024, stream) })
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        let head = self.send(request).await?;
        let mut body = Vec::new();
        match head.length {
            Some(length) => {
                body.resize(length, 0);
                self.stream.read_exact(&mut body).await?;
            }
            None if head.status == 204 => {}
            None => {
                while let Some(chunk) = self.chunk().await? {
                    body.extend_from_slice(&chunk);
                }
            }
        }
        let body = String::from_utf8(body)?;
        Ok(Answer { status: head.status, session: head.session, body })
    }

    /// Sends a request whose answer is read piece by piece, with [`Self::chunk`].
    pub(crate) async fn begin(&mut self, request: &[u8]) -> Result<u16> {
        Ok(self.send(request).await?.status)
    }

    /// The next piece of an answer, `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim(), 16)?;
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk).await?;
        chunk.truncate(length);
        Ok((length > 0).then_some(chunk))
    }

    async fn send(&mut self, request: &[u8]) -> Result<Head> {
        self.stream.get_mut().write_all(request).await?;
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| format!("no HTTP status: {line}"))?;
        let mut head = Head { status, session: None, length: None };
        loop {
            line.clear();
            self.stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { return Ok(head) };
            if name.eq_ignore_ascii_case("content-length") {
                head.length = value.parse().ok();
            } else if name.eq_ignore_ascii_case("mcp-session-id") {
                head.session = Some(value.to_owned());
            }
        }
    }
}

/// A request as it is sent.
pub(crate) fn request(
    method: &str,
    path: &str,
    port: u16,
    headers: &[(String, String)],
    body: &str,
) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if method == "POST" {
        text.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
    }
    (text + "\r\n" + body).into_bytes()
}
