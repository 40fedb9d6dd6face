//! `/token` (RFC 6749, section 3.2).

mod alone;
mod authorization_code;
mod client_credentials;
mod error;
mod jwt_bearer;
mod refresh_token;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Method},
    response::{IntoResponse as _, Response},
};
use mcp_everything_store::oauth::ClientRecord;

use self::error::TokenError;
use super::{Context, limits};
use crate::{
    Config, RemoteAddress,
    client_auth::authenticate,
    dpop::{self, About, Proof, ProofError},
    events,
    params::Params,
    resources::same_resource,
    tokens::Issued,
    wire::ErrorResponse,
};

pub(super) async fn post(
    State(context): State<Arc<Context>>,
    address: RemoteAddress,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut response = match answer(&context, address, &headers, body).await {
        Ok(issued) => issued.into_response(),
        Err(error) => ErrorResponse::from(&error).into_response(),
    };
    // With whatever it is answered: the next one needs it (RFC 9449, sections 8 and 8.2).
    if headers.contains_key(dpop::HEADER)
        && let Some(nonce) = context.proofs().nonce()
    {
        response.headers_mut().insert(dpop::NONCE_HEADER, nonce);
    }
    response
}

async fn answer(
    context: &Context,
    address: RemoteAddress,
    headers: &HeaderMap,
    body: Body,
) -> Result<Issued, TokenError> {
    let params = Params::from_body(headers, body).await?;
    let client = authenticate(context, headers, &params).await?;
    limits::pace(&context.config.limits.client, &client, address).await?;
    let issued = match proof(context, headers, &client) {
        Ok(proof) => exchange(context, &client, &params, proof.as_ref()).await,
        Err(error) => Err(error.into()),
    };
    match &issued {
        // A store that fails is logged as such.
        Ok(_) | Err(TokenError::Store(_)) => {}
        Err(error) => events::token_refused(&client.id, error),
    }
    issued
}

/// The key that the tokens will be bound to (RFC 9449, section 5).
fn proof(
    context: &Context,
    headers: &HeaderMap,
    client: &ClientRecord,
) -> Result<Option<Proof>, ProofError> {
    if !headers.contains_key(dpop::HEADER) && !client.dpop_bound_access_tokens {
        return Ok(None);
    }
    let uri = context.config.issuer.join("/token");
    let about = About { method: &Method::POST, uri: &uri, token: None };
    context.proofs().read(headers, &about).map(Some)
}

/// Uses the proof up: after everything was checked, and before anything is made.
async fn use_up(context: &Context, proof: Option<&Proof>) -> Result<(), TokenError> {
    let Some(proof) = proof else { return Ok(()) };
    let proofs = context.proofs();
    if proofs.is_first(proof, &proofs.attempt()).await? {
        Ok(())
    } else {
        Err(ProofError::Replayed.into())
    }
}

/// Whether the key is shown that something is bound to.
fn shows(proof: Option<&Proof>, bound_to: Option<&str>) -> Result<(), TokenError> {
    match bound_to {
        Some(key) if proof.map(Proof::thumbprint) != Some(key) => Err(TokenError::OtherKey),
        Some(_) | None => Ok(()),
    }
}

async fn exchange(
    context: &Context,
    client: &ClientRecord,
    params: &Params,
    proof: Option<&Proof>,
) -> Result<Issued, TokenError> {
    let name = params.one("grant_type")?.ok_or(TokenError::Missing("grant_type"))?;
    let grant_type = GrantType::parse(name).filter(|one| one.is_offered(&context.config));
    let grant_type = grant_type.ok_or(TokenError::GrantType)?;
    if !client.grant_types.iter().any(|registered| registered == grant_type.as_str()) {
        return Err(TokenError::OtherGrantType);
    }
    match grant_type {
        GrantType::AuthorizationCode => {
            authorization_code::exchange(context, client, params, proof).await
        }
        GrantType::RefreshToken => refresh_token::exchange(context, client, params, proof).await,
        GrantType::ClientCredentials => {
            client_credentials::exchange(context, client, params, proof).await
        }
        GrantType::JwtBearer => jwt_bearer::exchange(context, client, params, proof).await,
    }
}

/// By what tokens are issued: the values of `grant_type` (RFC 6749, section 4; RFC 7523).
pub const GRANT_TYPES: [&str; 4] = [
    GrantType::AuthorizationCode.as_str(),
    GrantType::RefreshToken.as_str(),
    GrantType::ClientCredentials.as_str(),
    GrantType::JwtBearer.as_str(),
];

/// The grant types that tokens are issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    JwtBearer,
}

impl GrantType {
    pub(crate) const ALL: [Self; 4] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::JwtBearer];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// Whether anybody gets tokens by it.
    pub(crate) fn is_offered(self, config: &Config) -> bool {
        match self {
            Self::AuthorizationCode | Self::RefreshToken | Self::ClientCredentials => true,
            Self::JwtBearer => !config.enterprise_issuers.is_empty(),
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.as_str() == name)
    }
}

/// A client may say again for which resource it wants the token (RFC 8707, section 2.2): then it
/// must be the one that was granted.
fn check_resource(params: &Params, granted: &str) -> Result<(), TokenError> {
    let is_granted = params.all("resource").all(|asked| same_resource(asked, granted));
    if is_granted { Ok(()) } else { Err(TokenError::OtherResource) }
}

/// The resource that a client asks for where no user was asked before.
fn select_resource<'a>(context: &'a Context, params: &'a Params) -> Result<&'a str, TokenError> {
    let mut asked = params.all("resource");
    let first = asked.next();
    if asked.next().is_some() {
        return Err(TokenError::SeveralResources);
    }
    context.config.resources.select(first).map_err(|_| TokenError::UnknownResource)
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::oauth::ClientRecord;

    use crate::testing::{TestServer, client};

    #[tokio::test]
    async fn what_is_not_a_token_request_is_refused() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let code_only =
            ClientRecord { grant_types: vec!["authorization_code".into()], ..client("code-only") };
        server.put_client(&code_only).await;
        for (form, status, error) in [
            ("", 401, "invalid_client"),
            ("grant_type=authorization_code", 401, "invalid_client"),
            ("client_id=unknown&grant_type=authorization_code", 401, "invalid_client"),
            ("client_id=c", 400, "invalid_request"),
            ("client_id=c&grant_type=", 400, "invalid_request"),
            (
                "client_id=c&grant_type=refresh_token&grant_type=refresh_token",
                400,
                "invalid_request",
            ),
            ("client_id=c&grant_type=password", 400, "unsupported_grant_type"),
            ("client_id=c&grant_type=client_credentials", 400, "unauthorized_client"),
            ("client_id=code-only&grant_type=refresh_token", 400, "unauthorized_client"),
        ] {
            let response = server.post_form("/token", form).await;
            response.assert_error(status, error);
            assert_eq!(response.header("cache-control"), "no-store", "{form}");
        }
    }

    #[tokio::test]
    async fn only_forms_are_read() {
        let server = TestServer::new();
        let response = server.post("/token", "application/json", "{}").await;
        response.assert_error(400, "invalid_request");
        let response = server.post_form("/token", &"a".repeat(20_000)).await;
        response.assert_error(413, "invalid_request");
        assert_eq!(server.get("/token").await.status, 405);
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_no_reason_to_start_over() {
        let server = TestServer::with_broken_store();
        let response = server.post_form("/token", "client_id=c&grant_type=refresh_token").await;
        response.assert_error(503, "temporarily_unavailable");
        assert!(response.headers.contains_key("retry-after"));
    }
}
