//! Why no token is issued.

use mcp_everything_store::{Exceeded, StoreError};
use thiserror::Error;

use super::jwt_bearer::AssertionError;
use crate::{
    NotSaid, UnknownScope,
    client_auth::ClientAuthError,
    dpop::ProofError,
    params::{FormError, Repeated},
    wire::{Code, ErrorResponse},
};

/// The text is for the log.
#[derive(Debug, Error)]
pub(super) enum TokenError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Client(#[from] ClientAuthError),
    #[error(transparent)]
    TooOften(#[from] Exceeded),
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    #[error("the grant type is not known")]
    GrantType,
    #[error("the client did not register this grant type")]
    OtherGrantType,
    #[error("a client without a secret or key asks for a token for itself")]
    PublicClient,
    #[error("more scope is asked for than the client registered")]
    UnregisteredScope,
    #[error("several resources are asked for")]
    SeveralResources,
    #[error("tokens are not issued for this resource")]
    UnknownResource,
    #[error("the code is not known, or too old")]
    UnknownCode,
    #[error("the code belongs to another client")]
    CodeOfAnother,
    #[error("redirect_uri is not where the code was sent")]
    OtherRedirectUri,
    #[error("code_verifier does not have the form of one")]
    MalformedVerifier,
    #[error("code_verifier is not the one that the challenge was made from")]
    WrongVerifier,
    #[error("the code was used before")]
    ReplayedCode,
    #[error("the grant was revoked or has ended")]
    GrantEnded,
    #[error("the refresh token is not known, or too old")]
    UnknownRefreshToken,
    #[error("the refresh token belongs to another client")]
    RefreshTokenOfAnother,
    #[error("the refresh token was replaced before")]
    ReusedRefreshToken,
    #[error(transparent)]
    UnknownScope(#[from] UnknownScope),
    #[error("more scope is asked for than was granted")]
    WiderScope,
    #[error("the resource is not the one that was granted")]
    OtherResource,
    #[error("the assertion is not good: {0}")]
    Assertion(#[from] AssertionError),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error("the key that this is bound to is not shown")]
    OtherKey,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<&TokenError> for ErrorResponse {
    fn from(error: &TokenError) -> Self {
        match error {
            TokenError::Form(error) => (*error).into(),
            TokenError::Client(error) => error.into(),
            TokenError::TooOften(exceeded) => exceeded.into(),
            TokenError::Repeated(error) => (*error).into(),
            TokenError::Store(error) => error.into(),
            TokenError::Missing(_) | TokenError::MalformedVerifier => {
                Self::bad(Code::InvalidRequest, error.to_string())
            }
            TokenError::GrantType => Self::bad(
                Code::UnsupportedGrantType,
                "grant_type is not one of those that metadata lists",
            ),
            TokenError::OtherGrantType => {
                Self::bad(Code::UnauthorizedClient, "the client did not register this grant_type")
            }
            TokenError::PublicClient => Self::bad(
                Code::UnauthorizedClient,
                "a client must have a secret or key to get a token for itself",
            ),
            TokenError::UnregisteredScope => {
                Self::bad(Code::InvalidScope, "scope is wider than what the client registered")
            }
            TokenError::SeveralResources => {
                Self::bad(Code::InvalidTarget, "ask for one resource at a time")
            }
            TokenError::UnknownResource => {
                Self::bad(Code::InvalidTarget, "tokens are not issued for this resource")
            }
            // Whose it is, is not for another to know.
            TokenError::UnknownCode | TokenError::CodeOfAnother => Self::bad(
                Code::InvalidGrant,
                "the authorization code is unknown, expired or of another client",
            ),
            TokenError::OtherRedirectUri => Self::bad(
                Code::InvalidGrant,
                "redirect_uri is not the one in the authorization request",
            ),
            TokenError::WrongVerifier => {
                Self::bad(Code::InvalidGrant, "code_verifier does not match code_challenge")
            }
            TokenError::ReplayedCode => Self::bad(
                Code::InvalidGrant,
                "the authorization code was used before; all that it gave is revoked",
            ),
            TokenError::GrantEnded => {
                Self::bad(Code::InvalidGrant, "the grant was revoked or has expired")
            }
            TokenError::UnknownRefreshToken | TokenError::RefreshTokenOfAnother => Self::bad(
                Code::InvalidGrant,
                "the refresh token is unknown, expired or of another client",
            ),
            TokenError::ReusedRefreshToken => Self::bad(
                Code::InvalidGrant,
                "the refresh token was replaced before; its grant is revoked",
            ),
            TokenError::UnknownScope(error) => Self::bad(Code::InvalidScope, error.to_string()),
            TokenError::WiderScope => {
                Self::bad(Code::InvalidScope, "scope is wider than what was granted")
            }
            // Nothing is wrong with the assertion, as far as it is known.
            TokenError::Assertion(AssertionError::Said(NotSaid::Away(_))) => Self::unavailable(2),
            TokenError::Assertion(_) => Self::bad(Code::InvalidGrant, error.to_string()),
            TokenError::Proof(error) => Self::bad(error.code(), error.to_string()),
            TokenError::OtherKey => Self::bad(
                Code::InvalidGrant,
                "this is bound to a key, and the DPoP proof must be made with it",
            ),
            TokenError::OtherResource => {
                Self::bad(Code::InvalidTarget, "resource is not the one that was granted")
            }
        }
    }
}
