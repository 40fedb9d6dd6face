//! Clients of HTTP with SSE: one that shows what is on the wire, and a transport for rmcp's.

use reqwest::{Client, Response, StatusCode};
use rmcp::{
    RoleClient,
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::Transport,
};
use serde_json::{Value, json};
use url::Url;

use super::{Answer, Server, SignIn, Stream, call, initialize, secrets, soon};

pub(crate) struct Sse {
    http: Client,
    token: Option<String>,
    /// Where it was told to send its messages.
    pub(crate) endpoint: Url,
    pub(crate) stream: Stream,
}

impl Sse {
    /// A client with a stream and no handshake.
    pub(crate) async fn open(server: &Server, token: Option<&str>) -> Self {
        Self::open_at(&server.url("/sse"), token, None).await
    }

    /// One whose stream is at this URL, perhaps come back to.
    pub(crate) async fn open_at(
        url: &str,
        token: Option<&str>,
        last_event_id: Option<&str>,
    ) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        let response = get(&http, url, token, last_event_id).await;
        let mut stream = Stream::of(response);
        let endpoint = stream.next().await.expect("the stream begins");
        let endpoint = Url::parse(url).unwrap().join(endpoint.as_str().unwrap()).unwrap();
        Self { http, token: token.map(str::to_owned), endpoint, stream }
    }

    /// A client of `user`, signed in and with a session.
    pub(crate) async fn of(server: &Server, user: &str) -> Self {
        let tokens = SignIn::register(server).await.tokens(user).await;
        let mut client = Self::open(server, Some(&tokens.access)).await;
        client.initialize().await;
        client
    }

    pub(crate) async fn initialize(&mut self) {
        self.accepted(&initialize(&json!({}))).await;
        let answer = self.stream.next().await.unwrap();
        assert_eq!(answer["id"], 0, "{answer}");
    }

    /// Sends its messages to this instance and no other.
    pub(crate) fn send_to(&mut self, server: &Server, instance: usize) {
        let path = self.endpoint[url::Position::BeforePath..].to_owned();
        self.endpoint = Url::parse(&server.url_of(instance, &path)).unwrap();
    }

    pub(crate) async fn post(&self, message: &Value) -> Answer {
        let mut request = self.http.post(self.endpoint.clone()).json(message);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Answer::of(soon(request.send()).await.unwrap()).await
    }

    pub(crate) async fn accepted(&self, message: &Value) {
        let answer = self.post(message).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    }

    /// Calls a tool; what comes next on the stream is its answer's text.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> String {
        self.accepted(&call(1, tool, &arguments)).await;
        let answer = self.stream.next().await.expect("the stream goes on");
        let text = answer["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

/// Asks for the event stream.
pub(crate) async fn get(
    http: &Client,
    url: &str,
    token: Option<&str>,
    last_event_id: Option<&str>,
) -> Response {
    let mut request = http.get(url).header("accept", "text/event-stream");
    if let Some(token) = token {
        secrets::seen(token);
        request = request.bearer_auth(token);
    }
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    soon(request.send()).await.unwrap()
}

/// What rmcp's client speaks through: it has no such transport of its own.
pub(crate) struct SseTransport(Sse);

impl SseTransport {
    pub(crate) async fn connect(server: &Server, token: &str) -> Self {
        Self(Sse::open(server, Some(token)).await)
    }
}

impl Transport<RoleClient> for SseTransport {
    type Error = reqwest::Error;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), reqwest::Error>> + Send + 'static {
        let Sse { http, token, endpoint, .. } = &self.0;
        let request = http.post(endpoint.clone()).json(&message);
        let request = request.bearer_auth(token.as_deref().unwrap_or_default());
        async move {
            let answer = request.send().await?.error_for_status()?;
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
            assert_eq!(answer.bytes().await?, "", "everything else comes on the stream");
            Ok(())
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        let message = self.0.stream.next().await?;
        Some(serde_json::from_value(message).unwrap())
    }

    async fn close(&mut self) -> Result<(), reqwest::Error> {
        Ok(())
    }
}
