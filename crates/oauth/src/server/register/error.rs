//! Why a client is not registered.

use axum::http::StatusCode;
use mcp_everything_store::StoreError;
use thiserror::Error;

use crate::{
    RedirectUriError,
    jose::KeySetError,
    params::FormError,
    wire::{Code, ErrorResponse},
};

/// The text is the `error_description`, and names the field.
#[derive(Debug, Error)]
pub(super) enum RegisterError {
    #[error("the body must be application/json")]
    NotJson,
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error(transparent)]
    Body(#[from] FormError),
    #[error("{0} must be a string")]
    NotText(&'static str),
    #[error("{0} must be true or false")]
    NotASwitch(&'static str),
    #[error("{0} must be a list of strings")]
    NotAList(&'static str),
    #[error("{0} is too long")]
    TooLong(&'static str),
    #[error("{0} has control characters in it")]
    ControlCharacters(&'static str),
    #[error("redirect_uris is missing or empty")]
    NoRedirectUri,
    #[error("redirect_uris: number {number} cannot be registered: {reason}")]
    RedirectUri { number: usize, reason: RedirectUriError },
    #[error("{0} must be a URL that begins with https:// or http://")]
    NotAUrl(&'static str),
    #[error("token_endpoint_auth_method is not one of those that metadata lists")]
    AuthMethod,
    #[error("jwks or jwks_uri is needed for private_key_jwt, and not both")]
    Keys,
    #[error("jwks cannot be used: {0}")]
    Jwks(#[from] KeySetError),
    #[error("jwks_uri must be a URL that begins with https://, without a fragment")]
    JwksUri,
    #[error("grant_types must include one that a client that registers itself may begin with")]
    GrantTypes,
    #[error("token_endpoint_auth_method must not be none for client_credentials")]
    PublicMachine,
    #[error("response_types must include code")]
    ResponseTypes,
    #[error("application_type must be native or web")]
    ApplicationType,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<&RegisterError> for ErrorResponse {
    fn from(error: &RegisterError) -> Self {
        let (status, code) = match error {
            RegisterError::Store(error) => return error.into(),
            RegisterError::Body(FormError::TooLong) => {
                (StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidClientMetadata)
            }
            RegisterError::NoRedirectUri | RegisterError::RedirectUri { .. } => {
                (StatusCode::BAD_REQUEST, Code::InvalidRedirectUri)
            }
            RegisterError::NotJson
            | RegisterError::NotAnObject
            | RegisterError::Body(FormError::NotAForm | FormError::NotText | FormError::Broken)
            | RegisterError::NotText(_)
            | RegisterError::NotASwitch(_)
            | RegisterError::NotAList(_)
            | RegisterError::TooLong(_)
            | RegisterError::ControlCharacters(_)
            | RegisterError::NotAUrl(_)
            | RegisterError::AuthMethod
            | RegisterError::Keys
            | RegisterError::Jwks(_)
            | RegisterError::JwksUri
            | RegisterError::PublicMachine
            | RegisterError::GrantTypes
            | RegisterError::ResponseTypes
            | RegisterError::ApplicationType => {
                (StatusCode::BAD_REQUEST, Code::InvalidClientMetadata)
            }
        };
        Self::new(status, code, error.to_string())
    }
}
