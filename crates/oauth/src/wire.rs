//! Errors as OAuth puts them on the wire.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mcp_everything_store::{Exceeded, Refused, StoreError};
use serde::Serialize;

use crate::{
    events,
    params::{FormError, Repeated},
};

/// The registered error codes that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    // RFC 6749, section 5.2
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    // RFC 6749, section 4.1.2.1
    AccessDenied,
    UnsupportedResponseType,
    ServerError,
    TemporarilyUnavailable,
    // RFC 7591, section 3.2.2
    InvalidRedirectUri,
    InvalidClientMetadata,
    // RFC 8707, section 2
    InvalidTarget,
    // RFC 6750, section 3.1
    InvalidToken,
    InsufficientScope,
    // RFC 9449, section 12.2
    InvalidDpopProof,
    UseDpopNonce,
}

impl Code {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
        }
    }
}

/// Every word that [`Refused`] may hold in a response of this crate: the error codes, those of
/// requests without a token, and those of pages.
pub const REFUSALS: [&str; 26] = [
    "access_denied",
    "client_document",
    "insufficient_scope",
    "invalid_client",
    "invalid_client_metadata",
    "invalid_dpop_proof",
    "invalid_grant",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "no_login",
    "server_error",
    "stale_form",
    "temporarily_unavailable",
    "too_often",
    "unauthorized",
    "unauthorized_client",
    "unknown_client",
    "unregistered_redirect_uri",
    "unsupported_grant_type",
    "unsupported_response_type",
    "upstream_failed",
    "upstream_refused",
    "use_dpop_nonce",
];

/// An error response in JSON (RFC 6749, section 5.2).
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) description: Cow<'static, str>,
    pub(crate) headers: HeaderMap,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl ErrorResponse {
    pub(crate) fn new(
        status: StatusCode,
        code: Code,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (code, description) = (code.as_str(), description.into());
        Self { status, code, description, headers: HeaderMap::new() }
    }

    /// With 400, which is right for every error that RFC 6749 gives no other status.
    pub(crate) fn bad(code: Code, description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, description)
    }

    /// With 503 and the time after which it is worth trying again.
    pub(crate) fn unavailable(seconds: u16) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, Code::TemporarilyUnavailable, "the server cannot answer now")
            .with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub(crate) fn with(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// In the extensions of a response that says that a credential, a code or a token is wrong.
#[derive(Clone, Copy)]
pub(crate) struct WrongGuess;

impl IntoResponse for ErrorResponse {
    fn into_response(mut self) -> Response {
        self.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let body = Body { error: self.code, error_description: &self.description };
        let mut response = (self.status, self.headers, Json(body)).into_response();
        response.extensions_mut().insert(match self.status {
            StatusCode::TOO_MANY_REQUESTS => Refused::TOO_OFTEN,
            _ => Refused(self.code),
        });
        if [Code::InvalidClient, Code::InvalidGrant].map(Code::as_str).contains(&self.code) {
            response.extensions_mut().insert(WrongGuess);
        }
        response
    }
}

impl From<Repeated> for ErrorResponse {
    fn from(repeated: Repeated) -> Self {
        Self::bad(Code::InvalidRequest, repeated.to_string())
    }
}

impl From<FormError> for ErrorResponse {
    fn from(error: FormError) -> Self {
        let status = match error {
            FormError::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            FormError::NotAForm | FormError::NotText | FormError::Broken => StatusCode::BAD_REQUEST,
        };
        Self::new(status, Code::InvalidRequest, error.to_string())
    }
}

/// With the code that clients take for a failure of this attempt and of nothing else: to none of
/// them is it a reason to give up a token or a registration.
impl From<&Exceeded> for ErrorResponse {
    fn from(exceeded: &Exceeded) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, Code::TemporarilyUnavailable, exceeded.to_string())
            .with(header::RETRY_AFTER, HeaderValue::from(exceeded.retry_after()))
    }
}

/// A store that gives no answer, which is logged here and nowhere else.
impl From<&StoreError> for ErrorResponse {
    fn from(error: &StoreError) -> Self {
        events::store_failed(error);
        match error {
            StoreError::Unavailable { .. } => Self::unavailable(2),
            StoreError::LimitReached { .. } => Self::unavailable(60),
            StoreError::Corrupt { .. } => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self::new(status, Code::ServerError, "the server failed")
            }
        }
    }
}

/// A JSON response that nobody may keep (RFC 6749, section 5.1).
pub(crate) fn private_json(status: StatusCode, body: &impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// A JSON document that everybody may keep for some minutes.
pub(crate) fn public_json(body: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mcp_everything_store::Refused;

    use super::REFUSALS;

    /// The words of a function that has nothing else in quotes.
    fn words<'a>(source: &'a str, function: &str) -> impl Iterator<Item = &'a str> {
        let (_, body) = source.split_once(function).unwrap();
        body.split("\n    }\n").next().unwrap().split('"').skip(1).step_by(2)
    }

    #[test]
    fn the_list_has_every_word() {
        let codes = words(include_str!("wire.rs"), "fn as_str(self)");
        let pages = words(include_str!("server/authorize/error.rs"), "fn refused(&self)");
        let doors = words(include_str!("resource/protected.rs"), "response.code = ").take(1);
        let words = codes.chain(pages).chain(doors).chain([Refused::TOO_OFTEN.0]);
        assert_eq!(words.collect::<BTreeSet<_>>(), BTreeSet::from(REFUSALS));
    }
}
