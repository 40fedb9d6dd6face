//! `/.well-known/oauth-authorization-server` (RFC 8414), and the same document where clients look
//! for OpenID's.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{Context, token::GrantType};
use crate::{BaseUri, ScopeSet, client_auth::METHODS, jose::SigningAlgorithm, wire::public_json};

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    registration_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 6],
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 6],
    introspection_endpoint_auth_methods_supported: [&'static str; 4],
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 6],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
}

/// Where the document is: RFC 8414, sections 3.1 and 5, names three places for an issuer with a
/// path.
pub(super) fn paths(issuer: &BaseUri) -> Vec<String> {
    let mut paths = vec![
        issuer.well_known_path("oauth-authorization-server", ""),
        issuer.well_known_path("openid-configuration", ""),
    ];
    if !issuer.path().is_empty() {
        paths.push("/.well-known/oauth-authorization-server".into());
        paths.push("/.well-known/openid-configuration".into());
    }
    paths
}

pub(super) async fn get(State(context): State<Arc<Context>>) -> Response {
    let issuer = &context.config.issuer;
    public_json(&Metadata {
        issuer: issuer.as_str(),
        authorization_endpoint: issuer.join("/authorize"),
        token_endpoint: issuer.join("/token"),
        registration_endpoint: issuer.join("/register"),
        revocation_endpoint: issuer.join("/revoke"),
        introspection_endpoint: issuer.join("/introspect"),
        scopes_supported: ScopeSet::ALL.iter().map(crate::Scope::as_str).collect(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: GrantType::ALL.into_iter().map(GrantType::as_str).collect(),
        token_endpoint_auth_methods_supported: METHODS,
        token_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::NAMES,
        revocation_endpoint_auth_methods_supported: METHODS,
        revocation_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::NAMES,
        introspection_endpoint_auth_methods_supported: METHODS,
        introspection_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::NAMES,
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestServer;

    #[tokio::test]
    async fn the_document_says_what_the_server_does() {
        let server = TestServer::new();
        let response = server.get("/.well-known/oauth-authorization-server").await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), "application/json");
        let methods =
            json!(["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]);
        let algorithms = json!(["ES256", "ES384", "PS256", "RS256", "Ed25519", "EdDSA"]);
        let expected = json!({
            "issuer": "http://localhost:3232",
            "authorization_endpoint": "http://localhost:3232/authorize",
            "token_endpoint": "http://localhost:3232/token",
            "registration_endpoint": "http://localhost:3232/register",
            "revocation_endpoint": "http://localhost:3232/revoke",
            "introspection_endpoint": "http://localhost:3232/introspect",
            "scopes_supported": ["mcp:read", "mcp:tools", "mcp:admin"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported":
                ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        assert_eq!(response.json(), expected);
        let openid = server.get("/.well-known/openid-configuration").await;
        assert_eq!(openid.json(), expected);
    }

    #[tokio::test]
    async fn the_issuer_is_kept_byte_for_byte() {
        for issuer in ["http://LocalHost:3232/", "https://example.com:443"] {
            let server = TestServer::at(issuer);
            let document = server.get("/.well-known/oauth-authorization-server").await.json();
            assert_eq!(document["issuer"], issuer);
            let endpoint = format!("{}/token", issuer.trim_end_matches('/'));
            assert_eq!(document["token_endpoint"], endpoint);
        }
    }

    #[tokio::test]
    async fn an_issuer_with_a_path_is_found() {
        let server = TestServer::at("https://example.com/base");
        for path in [
            "/.well-known/oauth-authorization-server/base",
            "/.well-known/openid-configuration/base",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        ] {
            let response = server.get(path).await;
            assert_eq!(response.status, 200, "{path}");
            assert_eq!(response.json()["issuer"], "https://example.com/base");
        }
    }
}
