//! `/register` (RFC 7591): anybody may register a client.
//!
//! What a client says of itself is bounded, checked and otherwise believed to be a claim. What is
//! not known here is ignored (section 2), and what cannot be offered is replaced (section 3.2.1).

mod error;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use mcp_everything_store::oauth::{ClientAuth, ClientKeys, ClientRecord};
use serde::Serialize;
use serde_json::Value;

use self::error::RegisterError;
use super::{Context, GrantType};
use crate::{
    client_metadata::{AuthMethod, Fields, Metadata, Terms},
    events,
    params::{has_content_type, read},
    secret::PlainSecret,
    wire::{ErrorResponse, private_json},
};

/// Section 3.2.1: everything that was registered.
#[derive(Serialize)]
struct Registered<'a> {
    client_id: &'a str,
    client_id_issued_at: u64,
    #[serde(flatten)]
    secret: Option<Secret<'a>>,
    redirect_uris: &'a [String],
    token_endpoint_auth_method: &'static str,
    grant_types: &'a [String],
    response_types: &'static [&'static str],
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_version: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dpop_bound_access_tokens: bool,
}

#[derive(Serialize)]
struct Secret<'a> {
    client_secret: &'a str,
    /// At the earliest: use prolongs the registration and the secret with it.
    client_secret_expires_at: u64,
}

pub(super) async fn post(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match register(&context, &headers, body).await {
        Ok(response) => response,
        Err(error) => {
            match &error {
                // A store that fails is logged as such.
                RegisterError::Store(_) => {}
                refused => events::client_refused(refused),
            }
            ErrorResponse::from(&error).into_response()
        }
    }
}

async fn register(
    context: &Context,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, RegisterError> {
    if !has_content_type(headers, "application/json") {
        return Err(RegisterError::NotJson);
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice(&read(body).await?) else {
        return Err(RegisterError::NotAnObject);
    };
    let terms = Terms {
        app_schemes: &context.config.app_schemes,
        client_credentials: context.config.strangers_get_for_themselves(),
        assertions: GrantType::JwtBearer.is_offered(&context.config),
        // Section 2.
        default_method: "client_secret_basic",
    };
    let (metadata, auth_method) = Metadata::read(&Fields::new(fields), &terms)?;
    let (client, secret) = record(context, metadata, auth_method);
    let life = context.config.lifetimes.client;
    context.store.put_client(&client, life, context.config.max_clients).await?;
    events::client_registered(&client.id, client.auth.method());
    let scope = client.scope.clone();
    let (jwks, jwks_uri) = match &client.auth {
        ClientAuth::PrivateKeyJwt { keys: ClientKeys::Jwks(set) } => (Some(set), None),
        ClientAuth::PrivateKeyJwt { keys: ClientKeys::JwksUri(uri) } => (None, Some(uri.as_str())),
        ClientAuth::None
        | ClientAuth::ClientSecretBasic { .. }
        | ClientAuth::ClientSecretPost { .. } => (None, None),
    };
    Ok(private_json(
        StatusCode::CREATED,
        &Registered {
            client_id: &client.id,
            client_id_issued_at: client.registered_at.as_secs(),
            secret: secret.as_ref().map(|secret| Secret {
                client_secret: secret.expose(),
                client_secret_expires_at: (client.registered_at + life).as_secs(),
            }),
            redirect_uris: &client.redirect_uris,
            token_endpoint_auth_method: client.auth.method(),
            grant_types: &client.grant_types,
            response_types: if client.redirect_uris.is_empty() { &[] } else { &["code"] },
            jwks,
            jwks_uri,
            scope: scope.unwrap_or_else(|| context.config.default_scope.to_string()),
            client_name: client.name.as_deref(),
            client_uri: client.uri.as_deref(),
            application_type: client.application_type.as_deref(),
            software_id: client.software_id.as_deref(),
            software_version: client.software_version.as_deref(),
            dpop_bound_access_tokens: client.dpop_bound_access_tokens,
        },
    ))
}

fn record(
    context: &Context,
    metadata: Metadata,
    auth_method: AuthMethod,
) -> (ClientRecord, Option<PlainSecret>) {
    let mut id = [0; 16];
    context.random.fill(&mut id);
    // A UUID never looks like the URL of a client's metadata document.
    let id = uuid::Builder::from_random_bytes(id).into_uuid().to_string();
    let secret = || PlainSecret::for_client(&*context.random);
    let (auth, secret) = match auth_method {
        AuthMethod::None => (ClientAuth::None, None),
        AuthMethod::Basic => {
            let secret = secret();
            (ClientAuth::ClientSecretBasic { secret: secret.hash() }, Some(secret))
        }
        AuthMethod::Post => {
            let secret = secret();
            (ClientAuth::ClientSecretPost { secret: secret.hash() }, Some(secret))
        }
        AuthMethod::PrivateKeyJwt(keys) => (ClientAuth::PrivateKeyJwt { keys }, None),
    };
    (metadata.into_record(id, auth, context.clock.now()), secret)
}
