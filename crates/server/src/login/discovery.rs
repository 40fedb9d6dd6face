//! From a server's URL to the endpoints of its authorization server.

use reqwest::{Client, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{LoginError, json_of};
use crate::{net, settings::is_loopback};

pub(super) struct Discovered {
    pub(super) resource: String,
    pub(super) scope: Option<String>,
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) registration_endpoint: String,
}

/// RFC 9728.
#[derive(Deserialize)]
struct ResourceMetadata {
    resource: String,
    authorization_servers: Vec<String>,
}

/// RFC 8414.
#[derive(Deserialize)]
struct ServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    registration_endpoint: String,
}

pub(super) async fn discover(client: &Client, server: &str) -> Result<Discovered, LoginError> {
    if !server.starts_with("http://") && !server.starts_with("https://") {
        let reason = "--server takes a URL such as http://localhost:3232".to_owned();
        return Err(LoginError::Unexpected { what: server.to_owned(), reason });
    }
    let base = server.trim_end_matches('/').trim_end_matches("/mcp");
    let endpoint = format!("{base}/mcp");
    let request = client
        .post(&endpoint)
        .header(header::ACCEPT, "application/json, text/event-stream")
        .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }));
    let answer = request.send().await.map_err(|error| no_server(&endpoint, &error))?;
    match answer.status() {
        StatusCode::UNAUTHORIZED => {}
        // It was looked at, and what it lacks is a session.
        StatusCode::BAD_REQUEST => return Err(LoginError::NoAuthentication { server: endpoint }),
        status => {
            let body = answer.text().await.unwrap_or_default();
            let says_so = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
            let is_no_endpoint = says_so || status.is_success() || status.is_redirection();
            let status = status.as_u16();
            return Err(if is_no_endpoint {
                LoginError::NoEndpoint { endpoint, status, body }
            } else {
                LoginError::Refused { what: endpoint, status, body }
            });
        }
    }
    let challenge = answer.headers().get(header::WWW_AUTHENTICATE);
    let challenge = challenge.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let metadata_url =
        parameter(challenge, "resource_metadata").ok_or_else(|| LoginError::Unexpected {
            what: "the challenge".to_owned(),
            reason: "it names no resource_metadata".to_owned(),
        })?;
    let resource: ResourceMetadata = json_of(&metadata_url, client.get(&metadata_url)).await?;
    let issuer = resource.authorization_servers.first().ok_or_else(|| LoginError::Unexpected {
        what: metadata_url.clone(),
        reason: "it names no authorization server".to_owned(),
    })?;
    let url = well_known(issuer)?;
    let server: ServerMetadata = json_of(&url, client.get(&url)).await?;
    if server.issuer != *issuer {
        // RFC 8414 section 3.3.
        let reason = format!("its issuer is {}, not {issuer}", server.issuer);
        return Err(LoginError::Unexpected { what: url, reason });
    }
    Ok(Discovered {
        resource: resource.resource,
        scope: parameter(challenge, "scope"),
        issuer: server.issuer,
        authorization_endpoint: server.authorization_endpoint,
        token_endpoint: server.token_endpoint,
        registration_endpoint: server.registration_endpoint,
    })
}

/// What most likely keeps somebody from a server that was just started.
fn no_server(endpoint: &str, error: &reqwest::Error) -> LoginError {
    let is_https = endpoint.starts_with("https://");
    let advice = if is_https && is_loopback(endpoint) {
        "if it is running, it may speak http and not https"
    } else {
        "is it running? --server takes another URL"
    };
    LoginError::NoServer { endpoint: endpoint.to_owned(), reason: net::reason(error), advice }
}

/// RFC 8414 section 3.1: the name goes between the host and the path.
fn well_known(issuer: &str) -> Result<String, LoginError> {
    let mut url = Url::parse(issuer).map_err(|error| LoginError::Unexpected {
        what: issuer.to_owned(),
        reason: error.to_string(),
    })?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    Ok(url.into())
}

/// A quoted parameter of a challenge (RFC 9110 section 11.2).
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let rest = challenge.split_once(&format!("{name}=\""))?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_read() {
        let challenge = r#"Bearer resource_metadata="http://x/y", scope="a b""#;
        assert_eq!(parameter(challenge, "resource_metadata").as_deref(), Some("http://x/y"));
        assert_eq!(parameter(challenge, "scope").as_deref(), Some("a b"));
        assert_eq!(parameter(challenge, "error"), None);
    }

    #[test]
    fn an_issuers_path_comes_after_the_name() {
        let url = |issuer| well_known(issuer).unwrap();
        assert_eq!(url("https://a.test"), "https://a.test/.well-known/oauth-authorization-server");
        assert_eq!(
            url("https://a.test/t/1/"),
            "https://a.test/.well-known/oauth-authorization-server/t/1"
        );
    }
}
