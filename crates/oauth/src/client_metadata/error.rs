//! What is wrong with what a client says of itself.

use thiserror::Error;

use crate::{RedirectUriError, jose::KeySetError};

/// The text is for whoever said it, and names the member.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum MetadataError {
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
    #[error(
        "redirect_uris: number {number} must be https, and on another host than this computer, where application_type is web"
    )]
    NotOnTheWeb { number: usize },
    #[error("{0} must be a URL that begins with https:// or http://")]
    NotAUrl(&'static str),
    #[error("token_endpoint_auth_method is not one of those that metadata lists")]
    AuthMethod,
    #[error("token_endpoint_auth_method must not be one with a secret")]
    SharedSecret,
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
}
