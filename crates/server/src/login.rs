//! Signing in by script, for development: the walk of a client through discovery, registration,
//! the pages and the token endpoint, with nobody in front of them.

mod discovery;
mod form;
mod pages;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::{Random, SystemRandom};
use reqwest::{Client, redirect::Policy};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use self::discovery::Discovered;
use crate::net::{self, Others, TlsFiles};

/// Where the code is sent. Nobody listens there: the redirect is read, not followed.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose token for what.
pub(crate) struct Wanted {
    pub(crate) server: String,
    /// Whose certificate is trusted, besides those that this machine trusts.
    pub(crate) own: Option<TlsFiles>,
    pub(crate) user: Option<String>,
    pub(crate) scope: Option<String>,
}

/// Why there is no token.
#[derive(Debug, Error)]
pub(crate) enum LoginError {
    #[error("{what} cannot be reached: {reason}")]
    Unreachable { what: String, reason: String },
    #[error("{what} answers {status}: {}", said(.body))]
    Refused { what: String, status: u16, body: String },
    #[error("no server answers at {endpoint} ({reason}); {advice}")]
    NoServer { endpoint: String, reason: String, advice: &'static str },
    #[error(
        "{endpoint} answers {status}, so no MCP server is there: {}; --server takes the URL of one, \
         such as http://localhost:3232",
        said(.body)
    )]
    NoEndpoint { endpoint: String, status: u16, body: String },
    #[error("{what} is not what was expected: {reason}")]
    Unexpected { what: String, reason: String },
    #[error("{server} wants no token; it runs without authentication, so leave the token out")]
    NoAuthentication { server: String },
    #[error(
        "users sign in at {provider}, which wants to see them; this is for the fake identity \
         provider"
    )]
    RealProvider { provider: String },
}

/// The longest part of an answer that is shown, in characters.
const LONGEST: usize = 300;

/// What an answer says: its description, if it is an error of OAuth or MCP, or its words.
fn said(body: &str) -> String {
    let error: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let described =
        error["error_description"].as_str().or_else(|| error["error"]["message"].as_str());
    let words = described.map_or_else(|| pages::words(body), str::to_owned);
    let words = if words.is_empty() { "with nothing" } else { &words };
    words.chars().take(LONGEST).collect()
}

#[derive(Deserialize)]
struct Registered {
    client_id: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

/// An access token for the server's MCP endpoint.
pub(crate) async fn token(wanted: &Wanted) -> Result<String, LoginError> {
    let no_network = |reason| LoginError::Unreachable { what: "the network".to_owned(), reason };
    let mut client =
        Client::builder().timeout(PATIENCE).cookie_store(true).redirect(Policy::none());
    if let Some(own) = &wanted.own {
        let tls = net::trusting(own, Others::AsUsual).map_err(no_network)?;
        client = client.tls_backend_preconfigured(tls);
    }
    let client = client.build().map_err(|error| no_network(error.to_string()))?;
    let found = discovery::discover(&client, &wanted.server).await?;
    let registered: Registered = json_of(
        "registration",
        client.post(&found.registration_endpoint).json(&json!({
            "client_name": "mcp-everything login",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        })),
    )
    .await?;
    let random: &dyn Random = &SystemRandom;
    let (verifier, state) = (random.token::<32>(), random.token::<16>());
    let url = authorization_url(&found, &registered.client_id, &verifier, &state, wanted)?;
    let code = pages::walk(&client, url, &state, wanted.user.as_deref(), &found.issuer).await?;
    let tokens: Tokens = json_of(
        "the token endpoint",
        client.post(&found.token_endpoint).form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", &registered.client_id),
            ("code_verifier", &verifier),
            ("resource", &found.resource),
        ]),
    )
    .await?;
    Ok(tokens.access_token)
}

fn authorization_url(
    found: &Discovered,
    client_id: &str,
    verifier: &str,
    state: &str,
    wanted: &Wanted,
) -> Result<url::Url, LoginError> {
    let mut url = url::Url::parse(&found.authorization_endpoint).map_err(|error| {
        LoginError::Unexpected { what: "authorization_endpoint".into(), reason: error.to_string() }
    })?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", state)
        .append_pair("resource", &found.resource);
    if let Some(scope) = wanted.scope.as_ref().or(found.scope.as_ref()) {
        url.query_pairs_mut().append_pair("scope", scope);
    }
    Ok(url)
}

/// Sends a request and reads its answer as JSON.
async fn json_of<T: serde::de::DeserializeOwned>(
    what: &str,
    request: reqwest::RequestBuilder,
) -> Result<T, LoginError> {
    let answer = request.send().await.map_err(|error| unreachable(what, &error))?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| unreachable(what, &error))?;
    if !status.is_success() {
        return Err(LoginError::Refused { what: what.into(), status: status.as_u16(), body });
    }
    serde_json::from_str(&body).map_err(|error| LoginError::Unexpected {
        what: what.to_owned(),
        reason: error.to_string(),
    })
}

fn unreachable(what: &str, error: &reqwest::Error) -> LoginError {
    LoginError::Unreachable { what: what.to_owned(), reason: net::reason(error) }
}
