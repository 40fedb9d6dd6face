//! Why a client is not registered.

use axum::http::StatusCode;
use mcp_everything_store::StoreError;
use thiserror::Error;

use crate::{
    client_metadata::MetadataError,
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
    #[error(transparent)]
    Metadata(#[from] MetadataError),
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
            RegisterError::Metadata(
                MetadataError::NoRedirectUri
                | MetadataError::RedirectUri { .. }
                | MetadataError::NotOnTheWeb { .. },
            ) => (StatusCode::BAD_REQUEST, Code::InvalidRedirectUri),
            RegisterError::NotJson
            | RegisterError::NotAnObject
            | RegisterError::Body(FormError::NotAForm | FormError::NotText | FormError::Broken)
            | RegisterError::Metadata(
                MetadataError::NotText(_)
                | MetadataError::NotASwitch(_)
                | MetadataError::NotAList(_)
                | MetadataError::TooLong(_)
                | MetadataError::ControlCharacters(_)
                | MetadataError::NotAUrl(_)
                | MetadataError::AuthMethod
                | MetadataError::SharedSecret
                | MetadataError::Keys
                | MetadataError::Jwks(_)
                | MetadataError::JwksUri
                | MetadataError::PublicMachine
                | MetadataError::GrantTypes
                | MetadataError::ResponseTypes
                | MetadataError::ApplicationType,
            ) => (StatusCode::BAD_REQUEST, Code::InvalidClientMetadata),
        };
        Self::new(status, code, error.to_string())
    }
}
