//! `/introspect` (RFC 7662).
//!
//! Every client must authenticate (section 2.1). One with a secret may ask about any access token
//! it holds: that is what a resource server is. One without may ask about its own tokens only, and
//! nobody about somebody else's refresh token, since a resource server could take it for an access
//! token. What a client may not know is not active to it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use mcp_everything_store::{Exceeded, StoreError, oauth::ClientRecord};
use serde::Serialize;
use thiserror::Error;

use super::{Context, limits};
use crate::{
    RemoteAddress,
    client_auth::{ClientAuthError, authenticate},
    params::{FormError, Params, Repeated},
    secret::{AccessToken, RefreshToken},
    tokens::token_type,
    wire::{Code, ErrorResponse, private_json},
};

#[derive(Debug, Error)]
enum IntrospectError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Client(#[from] ClientAuthError),
    #[error(transparent)]
    TooOften(#[from] Exceeded),
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("the parameter token is missing")]
    NoToken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<&IntrospectError> for ErrorResponse {
    fn from(error: &IntrospectError) -> Self {
        match error {
            IntrospectError::Form(error) => (*error).into(),
            IntrospectError::Client(error) => error.into(),
            IntrospectError::TooOften(exceeded) => exceeded.into(),
            IntrospectError::Repeated(error) => (*error).into(),
            IntrospectError::Store(error) => error.into(),
            IntrospectError::NoToken => Self::bad(Code::InvalidRequest, error.to_string()),
        }
    }
}

/// Section 2.2. Of a token that is not active, nothing else is said.
#[derive(Serialize)]
struct Introspection {
    active: bool,
    #[serde(flatten)]
    token: Option<Token>,
}

#[derive(Serialize)]
struct Token {
    #[serde(rename = "token_type")]
    kind: &'static str,
    scope: String,
    client_id: String,
    sub: String,
    aud: String,
    iss: String,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

/// RFC 9449, section 6.2.
#[derive(Serialize)]
struct Confirmation {
    jkt: String,
}

pub(super) async fn post(
    State(context): State<Arc<Context>>,
    address: RemoteAddress,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match introspect(&context, address, &headers, body).await {
        Ok(token) => {
            private_json(StatusCode::OK, &Introspection { active: token.is_some(), token })
        }
        Err(error) => ErrorResponse::from(&error).into_response(),
    }
}

async fn introspect(
    context: &Context,
    address: RemoteAddress,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<Token>, IntrospectError> {
    let params = Params::from_body(headers, body).await?;
    let client = authenticate(context, headers, &params).await?;
    limits::pace(&context.config.limits.introspect, &client, address).await?;
    let token = params.one("token")?.ok_or(IntrospectError::NoToken)?;
    params.one("token_type_hint")?;
    if let Some(token) = AccessToken::parse(token) {
        Ok(access_token(context, &client, &token).await?)
    } else if let Some(token) = RefreshToken::parse(token, &context.keys) {
        Ok(refresh_token(context, &client, &token).await?)
    } else {
        Ok(None)
    }
}

async fn access_token(
    context: &Context,
    client: &ClientRecord,
    token: &AccessToken,
) -> Result<Option<Token>, StoreError> {
    let kept = context.store.access_token(&token.name(), &token.grant()).await?;
    let Some(kept) = kept else { return Ok(None) };
    let record = kept.body.open(token.expose())?;
    if record.client != client.id && !client.auth.is_confidential() {
        return Ok(None);
    }
    Ok(Some(Token {
        kind: token_type(record.confirmation.is_some()),
        scope: record.scope,
        client_id: record.client,
        sub: record.user,
        aud: record.audience,
        iss: context.config.issuer.as_str().to_owned(),
        iat: record.issued_at.as_secs(),
        exp: Some(record.expires_at.as_secs()),
        cnf: record.confirmation.map(|jkt| Confirmation { jkt }),
    }))
}

async fn refresh_token(
    context: &Context,
    client: &ClientRecord,
    token: &RefreshToken,
) -> Result<Option<Token>, StoreError> {
    let family = token.family();
    let Some(kept) = context.store.refresh_family(&family.name()).await? else { return Ok(None) };
    let record = kept.open(family.expose())?;
    let grant = context.store.grant(&family.grant()).await?;
    if record.client != client.id || grant.is_none_or(|grant| grant.revoked) {
        return Ok(None);
    }
    Ok(Some(Token {
        kind: "refresh_token",
        scope: record.scope,
        client_id: record.client,
        sub: record.user,
        aud: record.resource,
        iss: context.config.issuer.as_str().to_owned(),
        iat: record.created_at.as_secs(),
        // Each use gives it a new one.
        exp: None,
        cnf: record.confirmation.map(|jkt| Confirmation { jkt }),
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mcp_everything_store::Clock as _;
    use serde_json::{Value, json};

    use crate::testing::{TestServer, Tokens, basic, client, confidential};

    async fn logged_in(server: &TestServer) -> Tokens {
        server.put_client(&client("c")).await;
        server.put_client(&client("d")).await;
        server.put_client(&confidential("rs", "secret")).await;
        server.log_in("c", "alice", &[]).await
    }

    async fn as_owner(server: &TestServer, token: &str) -> Value {
        let response = server.post_form("/introspect", &format!("client_id=c&token={token}")).await;
        assert_eq!(response.status, 200, "{}", response.body);
        assert_eq!(response.header("cache-control"), "no-store");
        response.json()
    }

    async fn as_resource_server(server: &TestServer, token: &str) -> Value {
        let header = basic("rs", "secret");
        let response = server.post_form_as(&header, "/introspect", &format!("token={token}")).await;
        assert_eq!(response.status, 200, "{}", response.body);
        response.json()
    }

    #[tokio::test]
    async fn an_access_token_is_described() {
        let server = TestServer::new();
        let now = server.clock.now().as_secs();
        let tokens = logged_in(&server).await;
        server.clock.advance(Duration::from_secs(10));
        let expected = json!({
            "active": true,
            "token_type": "Bearer",
            "scope": "mcp:read",
            "client_id": "c",
            "sub": "alice",
            "aud": "http://localhost:3232/mcp",
            "iss": "http://localhost:3232",
            "iat": now,
            "exp": now + 3600,
        });
        assert_eq!(as_owner(&server, &tokens.access).await, expected);
        assert_eq!(as_resource_server(&server, &tokens.access).await, expected);
    }

    #[tokio::test]
    async fn a_refresh_token_is_nobody_elses_business() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        let described = as_owner(&server, &tokens.refresh).await;
        assert_eq!(described["active"], true);
        assert_eq!(described["token_type"], "refresh_token");
        let hidden = as_resource_server(&server, &tokens.refresh).await;
        assert_eq!(hidden, json!({"active": false}));
    }

    #[tokio::test]
    async fn of_others_nothing_is_said() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        let unknown = format!("mca_{}", "A".repeat(64));
        for token in ["x", unknown.as_str()] {
            assert_eq!(as_resource_server(&server, token).await, json!({"active": false}));
        }
        let body = format!("client_id=d&token={}", tokens.access);
        let response = server.post_form("/introspect", &body).await;
        assert_eq!(response.json(), json!({"active": false}), "another public client");
    }

    #[tokio::test]
    async fn what_has_ended_is_not_active() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        server.clock.advance(Duration::from_secs(3600));
        assert_eq!(as_owner(&server, &tokens.access).await, json!({"active": false}));
        let body = format!("client_id=c&token={}", tokens.refresh);
        assert_eq!(server.post_form("/revoke", &body).await.status, 200);
        assert_eq!(as_owner(&server, &tokens.refresh).await, json!({"active": false}));
    }

    #[tokio::test]
    async fn strangers_are_told_nothing() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        let token = &tokens.access;
        for (form, status, error) in [
            (format!("token={token}"), 401, "invalid_client"),
            (format!("client_id=e&token={token}"), 401, "invalid_client"),
            (format!("client_id=rs&token={token}"), 401, "invalid_client"),
            ("client_id=c".into(), 400, "invalid_request"),
            (format!("client_id=c&token={token}&token={token}"), 400, "invalid_request"),
            (
                format!("client_id=c&token={token}&token_type_hint=a&token_type_hint=b"),
                400,
                "invalid_request",
            ),
        ] {
            server.post_form("/introspect", &form).await.assert_error(status, error);
        }
        let header = format!("Bearer {token}");
        let response = server.post_form_as(&header, "/introspect", &format!("token={token}")).await;
        response.assert_error(401, "invalid_client");
        let away = TestServer::with_broken_store();
        let response = away.post_form("/introspect", "client_id=c&token=x").await;
        response.assert_error(503, "temporarily_unavailable");
    }
}
