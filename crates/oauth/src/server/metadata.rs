//! `/.well-known/oauth-authorization-server` (RFC 8414), and `/.well-known/openid-configuration` for
//! the clients that look there alone.
//!
//! Both are at the paths of the issuer and no others: a client must not use what it finds below a
//! path that the issuer does not have (RFC 8414, section 3.3), and the 404 there sends it on.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::get};
use serde::Serialize;

use super::{Context, GrantType};
use crate::{
    BaseUri, Config, DocumentHosts, ScopeSet, client_auth::METHODS, jose::SigningAlgorithm,
    wire::public_json,
};

/// The profile of the JWT bearer grant that is taken
/// (draft-ietf-oauth-identity-assertion-authz-grant, section 7.2).
const ID_JAG: &str = "urn:ietf:params:oauth:grant-profile:id-jag";

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
    dpop_signing_alg_values_supported: [&'static str; 6],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    authorization_grant_profiles_supported: &'static [&'static str],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    client_id_metadata_document_supported: bool,
    #[serde(flatten)]
    openid: Option<OpenId>,
}

/// What a document of OpenID Connect Discovery 1.0, section 3, must have besides. There are no ID
/// tokens, so there is no algorithm that signs them and no key; users have one id for all clients.
#[derive(Serialize)]
struct OpenId {
    jwks_uri: String,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 0],
}

pub(super) fn router(issuer: &BaseUri) -> Router<Arc<Context>> {
    let mut router = Router::new().route("/jwks", get(keys));
    for path in paths(issuer, "oauth-authorization-server") {
        router = router.route(&path, get(oauth));
    }
    for path in paths(issuer, "openid-configuration") {
        router = router.route(&path, get(openid));
    }
    router
}

/// RFC 8414, sections 3.1 and 5, names three places for an issuer with a path: the name before the
/// path and after it, where a proxy takes the path away, and at the root for older clients.
fn paths(issuer: &BaseUri, name: &str) -> Vec<String> {
    let mut paths = vec![issuer.well_known_path(name, "")];
    if !issuer.path().is_empty() {
        paths.push(format!("/.well-known/{name}"));
    }
    paths
}

async fn oauth(State(context): State<Arc<Context>>) -> Response {
    public_json(&metadata(&context.config, None))
}

async fn openid(State(context): State<Arc<Context>>) -> Response {
    let issuer = &context.config.issuer;
    let openid = OpenId {
        jwks_uri: issuer.join("/jwks"),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: [],
    };
    public_json(&metadata(&context.config, Some(openid)))
}

/// The keys that others verify with what is signed here (RFC 7517): tokens are opaque, so none.
async fn keys() -> Response {
    public_json(&serde_json::json!({ "keys": [] }))
}

fn metadata(config: &Config, openid: Option<OpenId>) -> Metadata<'_> {
    let issuer = &config.issuer;
    let offered = GrantType::ALL.into_iter().filter(|one| one.is_offered(config));
    Metadata {
        issuer: issuer.as_str(),
        authorization_endpoint: issuer.join("/authorize"),
        token_endpoint: issuer.join("/token"),
        registration_endpoint: issuer.join("/register"),
        revocation_endpoint: issuer.join("/revoke"),
        introspection_endpoint: issuer.join("/introspect"),
        scopes_supported: ScopeSet::ALL.iter().map(crate::Scope::as_str).collect(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: offered.map(GrantType::as_str).collect(),
        token_endpoint_auth_methods_supported: METHODS,
        token_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::NAMES,
        revocation_endpoint_auth_methods_supported: METHODS,
        revocation_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::NAMES,
        introspection_endpoint_auth_methods_supported: METHODS,
        introspection_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::NAMES,
        dpop_signing_alg_values_supported: SigningAlgorithm::NAMES,
        authorization_grant_profiles_supported: if config.enterprise_issuers.is_empty() {
            &[]
        } else {
            &[ID_JAG]
        },
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: config.client_documents != DocumentHosts::Nobody,
        openid,
    }
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
            "dpop_signing_alg_values_supported": algorithms,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": true,
        });
        assert_eq!(response.json(), expected);
        let openid = server.get("/.well-known/openid-configuration").await.json();
        let more = json!({
            "jwks_uri": "http://localhost:3232/jwks",
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [],
        });
        let with = expected.as_object().unwrap().iter().chain(more.as_object().unwrap());
        let with: serde_json::Map<_, _> = with.map(|(k, v)| (k.clone(), v.clone())).collect();
        assert_eq!(openid, serde_json::Value::from(with));
        assert_eq!(server.get("/jwks").await.json(), json!({ "keys": [] }));
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

    /// RFC 8414, section 3.3: the issuer is the one whose URL the document was asked for.
    #[tokio::test]
    async fn nobody_elses_issuer_is_found() {
        for (base, elsewhere) in
            [("http://localhost:3232", "/mcp"), ("https://example.com/base", "/base/mcp")]
        {
            let server = TestServer::at(base);
            for path in [
                format!("/.well-known/oauth-authorization-server{elsewhere}"),
                format!("/.well-known/openid-configuration{elsewhere}"),
                format!("{elsewhere}/.well-known/openid-configuration"),
            ] {
                assert_eq!(server.get(&path).await.status, 404, "{path}");
            }
        }
    }
}
