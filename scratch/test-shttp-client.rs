//! A client made with the SDK, rmcp: Streamable HTTP, and OAuth when the server asks for it.
//!
//! It lists what the server has, calls tools (with progress, and with questions to this client), reads a
//! resource, gets a prompt and completes an argument: with a session, and then without.
//!
//!     cargo run --example test-shttp-client -- [SERVER] [USER]
#![expect(clippy::print_stdout, reason = "it is there to be read")]
#![expect(
    deprecated,
    reason = "2026-07-28 deprecates sampling (SEP-2577), which the server still shows"
)]

mod fake_user;

use std::{env, error::Error};

use rmcp::{
    ClientHandler, ErrorData, RoleClient, ServiceExt as _,
    model::{
        ArgumentInfo, CallToolRequestParams, ClientCapabilities, ClientConfig,
        CompleteRequestParams, CreateMessageRequestParams, CreateMessageResult,
        ElicitRequestParams, ElicitResult, ElicitationAction, GetPromptRequestParams,
        Implementation, ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams,
        Reference, SamplingMessage,
    },
    service::{
        ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RequestContext,
        RunningService,
    },
    transport::{
        AuthClient, AuthorizationRequest, StreamableHttpClientTransport, auth::OAuthState,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use url::Url;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Nobody listens there: the redirect is read and not followed.
const REDIRECT_URI: &str = "http://127.0.0.1:8976/callback";

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "http://localhost:3232".to_owned());
    let user = arguments.next().unwrap_or_else(|| "scratch".to_owned());
    let endpoint = format!("{}/mcp", server.trim_end_matches('/'));
    let http = signed_in(&endpoint, &user).await?;
    let modern =
        ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    for (name, mode) in [("a session", ClientLifecycleMode::Initialize), ("no session", modern)] {
        println!("\n== Streamable HTTP, {name}");
        let config = StreamableHttpClientTransportConfig::with_uri(endpoint.as_str());
        let transport = StreamableHttpClientTransport::with_client(http.clone(), config);
        let client = Answering.serve_with_lifecycle(transport, mode).await?;
        uses(&client).await?;
        client.cancel().await?;
    }
    println!("\nEverything was there.");
    Ok(())
}

/// An HTTP client with a token, which it renews by itself.
async fn signed_in(endpoint: &str, user: &str) -> Result<AuthClient<reqwest::Client>> {
    // The server's refusal says where to sign in.
    let Err(refused) = Answering.serve(StreamableHttpClientTransport::from_uri(endpoint)).await
    else {
        return Err("the server asks nobody to sign in".into());
    };
    let Some(challenge) = refused.auth_challenge().map(str::to_owned) else {
        return Err(refused.into());
    };
    println!("== Signing in as {user}: {challenge}");
    let mut oauth = OAuthState::new(endpoint, None).await?;
    let request = AuthorizationRequest::new(REDIRECT_URI)
        .with_client_name("test-shttp-client")
        .with_challenge(challenge);
    oauth.start_authorization(request).await?;
    let page = Url::parse(&oauth.get_authorization_url().await?)?;
    let back = fake_user::agrees(page, REDIRECT_URI, user).await?;
    oauth.handle_callback_url(back.as_str()).await?;
    let manager = oauth.into_authorization_manager().ok_or("it is not authorized")?;
    Ok(AuthClient::new(reqwest::Client::builder().build()?, manager))
}

/// What the client answers when it is asked, and hears.
#[derive(Clone, Copy)]
struct Answering;

impl ClientHandler for Answering {
    fn get_info(&self) -> ClientConfig {
        let capabilities =
            ClientCapabilities::builder().enable_sampling().enable_elicitation().build();
        ClientConfig::new(capabilities, Implementation::new("test-shttp-client", "1"))
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> std::result::Result<CreateMessageResult, ErrorData> {
        println!("<- the server asks for a model");
        let message = SamplingMessage::assistant_text("said by the client's model");
        Ok(CreateMessageResult::new(message, "scratch".to_owned()))
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> std::result::Result<ElicitResult, ErrorData> {
        println!("<- the server asks the user");
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({ "name": "Ada" })))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        println!("<- progress: {} of {:?}", params.progress, params.total);
    }
}

async fn uses(client: &RunningService<RoleClient, Answering>) -> Result<()> {
    let tools = client.list_all_tools().await?;
    let prompts = client.list_all_prompts().await?;
    let resources = client.list_all_resources().await?;
    let counts = (tools.len(), prompts.len(), resources.len());
    println!("<- {} tools, {} prompts, {} resources", counts.0, counts.1, counts.2);

    for (tool, arguments, expected) in [
        ("echo", json!({ "message": "hi" }), "Echo: hi"),
        ("add", json!({ "a": 2, "b": 3 }), "5"),
        ("longRunningOperation", json!({ "duration": 1, "steps": 2 }), "completed"),
        ("sampleLLM", json!({ "prompt": "hi" }), "said by the client's model"),
        ("elicitInputs", json!({}), "Ada"),
    ] {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        has(tool, &json!(client.call_tool(params).await?), expected)?;
    }

    let uri = resources.first().ok_or("there are no resources")?.uri.clone();
    let read = client.read_resource(ReadResourceRequestParams::new(&uri)).await?;
    has(&uri, &json!(read), &uri)?;
    let prompt = client.get_prompt(GetPromptRequestParams::new("simple_prompt")).await?;
    has("simple_prompt", &json!(prompt), "simple prompt")?;
    let argument = ArgumentInfo::new("style", "");
    let completed = CompleteRequestParams::new(Reference::for_prompt("complex_prompt"), argument);
    has("style of complex_prompt", &json!(client.complete(completed).await?), "casual")
}

fn has(what: &str, value: &Value, expected: &str) -> Result<()> {
    println!("<- {what}: {}", value.to_string().chars().take(100).collect::<String>());
    if value.to_string().contains(expected) {
        return Ok(());
    }
    Err(format!("{what}: {expected} is not in {value}").into())
}
