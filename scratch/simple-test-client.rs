//! A client without an SDK: HTTP and JSON, and nothing that knows the protocol but this file.
//!
//! It signs in as a user (OAuth 2.1 with PKCE), then speaks both wires: with a session (2025-11-25) and
//! without (2026-07-28). Each step compares what it is answered with what it must be.
//!
//!     cargo run --example simple-test-client -- [SERVER] [USER]
#![expect(clippy::print_stdout, reason = "it is there to be read")]

mod fake_user;

use std::{env, error::Error};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
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
    let http = Client::builder().build()?;
    let token = signs_in(&http, &endpoint, &user).await?;
    let client = Mcp { http, endpoint, token };
    with_a_session(&client).await?;
    without_a_session(&client).await?;
    println!("\nEvery answer was what it must be.");
    Ok(())
}

/// From the endpoint's refusal to an access token.
async fn signs_in(http: &Client, endpoint: &str, user: &str) -> Result<String> {
    println!("== Signing in as {user}");
    let refused = http.post(endpoint).json(&json!({})).send().await?;
    is(&refused, StatusCode::UNAUTHORIZED)?;
    let challenge = refused.headers()["www-authenticate"].to_str()?;
    println!("<- 401 {challenge}");
    // RFC 9728 section 5.1.
    let (_, metadata) =
        challenge.split_once("resource_metadata=\"").ok_or("it names no metadata")?;
    let metadata = metadata.split('"').next().unwrap_or_default();
    let resource = read(http.get(metadata)).await?;
    let issuer = text(&resource["authorization_servers"][0])?;
    println!("   {} is protected by {issuer}", resource["resource"]);
    let server = read(http.get(well_known(issuer)?)).await?;
    if server["issuer"] != issuer {
        return Err("its issuer is another (RFC 8414 section 3.3)".into());
    }

    // RFC 7591.
    let registered = read(http.post(text(&server["registration_endpoint"])?).json(&json!({
        "client_name": "simple-test-client", "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code"], "token_endpoint_auth_method": "none"
    })))
    .await?;
    let client_id = text(&registered["client_id"])?;
    println!("   registered as {client_id}");

    // RFC 7636, RFC 8707.
    let (verifier, state) = (random()?, random()?);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let mut url = Url::parse(text(&server["authorization_endpoint"])?)?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", &state)
        .append_pair("resource", text(&resource["resource"])?);
    let back = fake_user::agrees(url, REDIRECT_URI, user).await?;
    let parameter = |name: &str| {
        let found = back.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).ok_or(format!("{name} is missing in {back}"))
    };
    if parameter("state")? != state || parameter("iss")? != issuer {
        return Err("it comes from somebody else (RFC 9207)".into());
    }
    let tokens = read(http.post(text(&server["token_endpoint"])?).form(&[
        ("grant_type", "authorization_code"),
        ("code", &parameter("code")?),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", client_id),
        ("code_verifier", &verifier),
        ("resource", text(&resource["resource"])?),
    ]))
    .await?;
    println!("   a token for {}, good for {} s", tokens["scope"], tokens["expires_in"]);
    Ok(text(&tokens["access_token"])?.to_owned())
}

/// An endpoint and what opens it.
struct Mcp {
    http: Client,
    endpoint: String,
    token: String,
}

impl Mcp {
    /// Sends a message with these headers.
    async fn send(&self, message: &Value, headers: &[(&str, &str)]) -> Result<Response> {
        println!("-> {message}");
        let request = self.http.post(&self.endpoint).bearer_auth(&self.token);
        let request = request.header("Accept", "application/json, text/event-stream");
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Ok(request.json(message).send().await?)
    }

    /// Sends a request and waits for its answer, which is JSON or the end of an event stream.
    async fn ask(&self, message: &Value, headers: &[(&str, &str)]) -> Result<Value> {
        let mut response = self.send(message, headers).await?;
        is(&response, StatusCode::OK)?;
        let is_stream = response.headers()["content-type"] == "text/event-stream";
        let mut read = String::new();
        while let Some(chunk) = response.chunk().await? {
            read.push_str(std::str::from_utf8(&chunk)?);
            while is_stream && let Some(end) = read.find("\n\n") {
                let event: String = read.drain(..end + 2).collect();
                let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) else {
                    continue;
                };
                println!("<- {data}");
                let message: Value = serde_json::from_str(data)?;
                if message.get("method").is_none() {
                    return Ok(message);
                }
            }
        }
        println!("<- {read}");
        Ok(serde_json::from_str(&read)?)
    }
}

async fn with_a_session(client: &Mcp) -> Result<()> {
    println!("\n== 2025-11-25: a session");
    let version = ("MCP-Protocol-Version", "2025-11-25");
    let initialize = request(
        1,
        "initialize",
        &json!({
            "protocolVersion": version.1, "capabilities": {},
            "clientInfo": { "name": "simple-test-client", "version": "1" }
        }),
    );
    let response = client.send(&initialize, &[]).await?;
    is(&response, StatusCode::OK)?;
    let session = response.headers()["mcp-session-id"].to_str()?.to_owned();
    println!("<- the session {session}: {}", response.text().await?);
    let headers = [version, ("Mcp-Session-Id", session.as_str())];
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    is(&client.send(&initialized, &headers).await?, StatusCode::ACCEPTED)?;

    let tools = client.ask(&request(2, "tools/list", &json!({})), &headers).await?;
    has(&tools["result"]["tools"], "\"echo\"")?;
    let echo = json!({ "name": "echo", "arguments": { "message": "hi" } });
    let echoed = client.ask(&request(3, "tools/call", &echo), &headers).await?;
    has(&echoed["result"]["content"][0]["text"], "Echo: hi")?;
    // What takes longer is a stream: progress, then the answer.
    let long = json!({
        "name": "longRunningOperation", "arguments": { "duration": 1, "steps": 2 },
        "_meta": { "progressToken": "p" }
    });
    let done = client.ask(&request(4, "tools/call", &long), &headers).await?;
    has(&done["result"], "Long running operation completed")?;

    let delete = client.http.delete(&client.endpoint).bearer_auth(&client.token);
    let delete =
        headers.iter().fold(delete, |request, (name, value)| request.header(*name, *value));
    is(&delete.send().await?, StatusCode::NO_CONTENT)?;
    let gone = client.send(&request(5, "ping", &json!({})), &headers).await?;
    is(&gone, StatusCode::NOT_FOUND)
}

async fn without_a_session(client: &Mcp) -> Result<()> {
    println!("\n== 2026-07-28: no session");
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "simple-test-client", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} }
    });
    let version = ("MCP-Protocol-Version", "2026-07-28");
    let discover = request(1, "server/discover", &json!({ "_meta": meta }));
    let found = client.ask(&discover, &[version, ("Mcp-Method", "server/discover")]).await?;
    has(&found["result"]["supportedVersions"], "2026-07-28")?;

    let call = |id, name: &str, arguments: Value| {
        request(id, "tools/call", &json!({ "name": name, "arguments": arguments, "_meta": meta }))
    };
    let echo = call(2, "echo", json!({ "message": "hi" }));
    let headers = |name| [version, ("Mcp-Method", "tools/call"), ("Mcp-Name", name)];
    let echoed = client.ask(&echo, &headers("echo")).await?;
    has(&echoed["result"]["content"][0]["text"], "Echo: hi")?;

    // A tool that asks ends with its question: it is called again, with the answer.
    let mut asks = call(3, "elicitInputs", json!({}));
    let asked = client.ask(&asks, &headers("elicitInputs")).await?;
    has(&asked["result"]["resultType"], "input_required")?;
    asks["id"] = json!(4);
    asks["params"]["requestState"] = asked["result"]["requestState"].clone();
    asks["params"]["inputResponses"] =
        json!({ "inputs": { "action": "accept", "content": { "name": "Ada" } } });
    let answered = client.ask(&asks, &headers("elicitInputs")).await?;
    has(&answered["result"], "Ada")
}

fn request(id: u64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The JSON of an answer that is a good one.
async fn read(request: RequestBuilder) -> Result<Value> {
    let response = request.send().await?;
    let (status, url) = (response.status(), response.url().clone());
    let body = response.text().await?;
    if !status.is_success() {
        return Err(format!("{url} answers {status}: {body}").into());
    }
    Ok(serde_json::from_str(&body)?)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| format!("{value} is no text").into())
}

fn is(response: &Response, status: StatusCode) -> Result<()> {
    if response.status() == status {
        return Ok(());
    }
    Err(format!("{} answers {} instead of {status}", response.url(), response.status()).into())
}

fn has(value: &Value, expected: &str) -> Result<()> {
    if value.to_string().contains(expected) {
        return Ok(());
    }
    Err(format!("{expected} is not in {value}").into())
}

/// RFC 8414 section 3.1: the name goes between the host and the path.
fn well_known(issuer: &str) -> Result<Url> {
    let mut url = Url::parse(issuer)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    Ok(url)
}

fn random() -> Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "there is no randomness")?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
