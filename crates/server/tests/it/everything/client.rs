//! rmcp's client, which has something to answer to every question.

use std::time::Duration;

use rmcp::{
    ClientHandler, ErrorData, RoleClient, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig,
        CreateMessageRequestParams, CreateMessageResult, CustomNotification, ElicitRequestParams,
        ElicitResult, ElicitationAction, Implementation, ListRootsResult,
        LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion,
        ResourceUpdatedNotificationParam, Root, SamplingMessage,
    },
    service::{NotificationContext, RequestContext, RunningService},
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::{Piped, Server, SignIn, SseTransport, soon};

/// How a client speaks to the server.
#[derive(Clone, Copy)]
pub(crate) enum Via {
    StreamableHttp,
    HttpSse,
    /// With a server of its own, which has no other client and no user.
    Stdio,
}

/// What the server said to the client.
#[derive(Debug)]
pub(crate) enum Said {
    Progress(f64),
    Log,
    Updated(String),
    Stderr(Value),
}

#[derive(Clone)]
pub(crate) struct Handler {
    version: ProtocolVersion,
    said: mpsc::UnboundedSender<Said>,
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder()
            .enable_sampling()
            .enable_sampling_tools()
            .enable_elicitation()
            .enable_roots()
            .build();
        let client = Implementation::new("test", "1");
        ClientConfig::new(capabilities, client).with_protocol_version(self.version.clone())
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        assert_eq!(params.max_tokens, 7);
        let message = answer(&params);
        Ok(CreateMessageResult::new(message, "model".to_owned()))
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let content = json!({ "name": "Ada", "check": true });
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content))
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///home/ada").with_name("home")]))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let _ = self.said.send(Said::Progress(params.progress));
    }

    async fn on_logging_message(
        &self,
        _: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let _ = self.said.send(Said::Log);
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let _ = self.said.send(Said::Updated(params.uri));
    }

    async fn on_custom_notification(
        &self,
        notification: CustomNotification,
        _: NotificationContext<RoleClient>,
    ) {
        let _ = self.said.send(Said::Stderr(notification.params.unwrap_or_default()));
    }
}

/// What a model would say: with a tool that adds it adds, and then says what came of it.
fn answer(params: &CreateMessageRequestParams) -> SamplingMessage {
    if params.tools.is_none() {
        return SamplingMessage::assistant_text("sampled");
    }
    let last = params.messages.last().unwrap();
    let Some(result) = last.content.iter().find_map(|block| block.as_tool_result()) else {
        let input = json!({ "a": 2, "b": 3 }).as_object().cloned().unwrap();
        return SamplingMessage::assistant_tool_use("call_1", "add", input);
    };
    let text = result.content[0].as_text().unwrap();
    SamplingMessage::assistant_text(text.text.clone())
}

pub(crate) struct Client {
    pub(crate) service: RunningService<RoleClient, Handler>,
    said: mpsc::UnboundedReceiver<Said>,
    /// The server that is at the other end of a pipe.
    _server: Option<Piped>,
}

impl Client {
    pub(crate) async fn connect(server: &Server, via: Via, version: ProtocolVersion) -> Self {
        let (sender, said) = mpsc::unbounded_channel();
        let handler = Handler { version, said: sender };
        let service = match via {
            Via::StreamableHttp => {
                let tokens = SignIn::register(server).await.tokens("ada").await;
                let config = StreamableHttpClientTransportConfig::with_uri(server.url("/mcp"))
                    .auth_header(tokens.access);
                let transport = StreamableHttpClientTransport::from_config(config);
                soon(handler.serve(transport)).await.unwrap()
            }
            Via::HttpSse => {
                let tokens = SignIn::register(server).await.tokens("ada").await;
                let transport = SseTransport::connect(server, &tokens.access).await;
                soon(handler.serve(transport)).await.unwrap()
            }
            Via::Stdio => {
                let mut server = Piped::start();
                let service = soon(handler.serve(server.streams())).await.unwrap();
                return Self { service, said, _server: Some(server) };
            }
        };
        Self { service, said, _server: None }
    }

    pub(crate) async fn call(&self, tool: &'static str, arguments: Value) -> CallToolResult {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        soon(self.service.call_tool(params)).await.unwrap()
    }

    pub(crate) async fn text(&self, tool: &'static str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{result:?}");
        result.content[0].as_text().unwrap().text.clone()
    }

    /// The next thing the server says that is looked for. What comes at fixed intervals comes
    /// within the longest of them.
    pub(crate) async fn hears<T>(&mut self, mut wanted: impl FnMut(Said) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = wanted(self.said.recv().await.unwrap()) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(45), found).await.expect("it is said")
    }
}
