//! A client of HTTP with SSE (2024-11-05): it asks on one connection and is answered on another.

use crate::{
    http::{Connection, request},
    mcp::{Ask, INITIALIZED, Wire, headers, initialize},
    result::Result,
};

pub(crate) struct HttpSse {
    stream: Connection,
    messages: Connection,
    echo: Vec<u8>,
    /// What of the stream has not been looked at.
    unread: String,
}

impl HttpSse {
    /// Opens the stream and begins the session.
    pub(crate) async fn open(port: u16, token: Option<&str>) -> Result<Self> {
        let headers = headers(Wire::Stateful, token);
        let (mut stream, messages) = (Connection::open(port).await?, Connection::open(port).await?);
        let status = stream.begin(&request("GET", "/sse", port, &headers, "")).await?;
        if status != 200 {
            return Err(format!("GET /sse: {status}").into());
        }
        let mut client = Self { stream, messages, echo: Vec::new(), unread: String::new() };
        let path = client.event("endpoint").await?;
        let message = |body: &str| request("POST", &path, port, &headers, body);
        client.say(&message(&initialize("2024-11-05"))).await?;
        client.event("message").await?;
        client.say(&message(INITIALIZED)).await?;
        client.echo = message(&Ask::echo(Wire::Stateful, port, token).body);
        Ok(client)
    }

    /// Calls the tool `echo` and waits for its result.
    pub(crate) async fn ask(&mut self) -> Result<()> {
        let Self { messages, echo, .. } = self;
        accepted(messages, echo).await?;
        loop {
            let message = self.event("message").await?;
            // The server may have something of its own to say in between.
            if message.contains("\"result\"") {
                return message.contains("Echo: hello").then_some(()).ok_or(message.into());
            }
        }
    }

    async fn say(&mut self, request: &[u8]) -> Result<()> {
        accepted(&mut self.messages, request).await
    }

    /// The data of the next event of a type.
    async fn event(&mut self, wanted: &str) -> Result<String> {
        loop {
            while let Some(end) = self.unread.find("\n\n") {
                let rest = self.unread.split_off(end + 2);
                let event = std::mem::replace(&mut self.unread, rest);
                let field = |name| {
                    event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                };
                let data = (field("event").unwrap_or("message") == wanted).then(|| field("data"));
                let data = data.flatten().map(str::to_owned);
                if let Some(data) = data {
                    return Ok(data);
                }
            }
            let chunk = self.stream.chunk().await?.ok_or("the stream ended")?;
            self.unread += &String::from_utf8(chunk)?;
        }
    }
}

async fn accepted(messages: &mut Connection, request: &[u8]) -> Result<()> {
    let answer = messages.ask(request).await?;
    if answer.status == 202 { Ok(()) } else { Err(answer.body.into()) }
}
