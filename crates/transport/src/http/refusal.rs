//! Requests refused before any handler sees them, and what the client is told.
//!
//! Every refusal has a JSON-RPC error as its body, with the request's id where one could be read,
//! and nothing of what went wrong inside.

use std::time::Duration;

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use mcp_everything_store::{Exceeded, Random, StoreError};
use rmcp::model::{
    ClientCapabilities, ErrorCode, ErrorData, JsonRpcError, ProtocolVersion, RequestId,
};
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use crate::{jitter, message};

/// When it is worth trying again, in seconds: not for all clients at the same time.
const RETRY_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// JSON-RPC code of an unknown session. The number is the one the TypeScript SDK gives and
/// clients look for; the specification names none.
const SESSION_NOT_FOUND: ErrorCode = ErrorCode(-32001);

/// Why a request was refused.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error("the Host header names no host of this server{}", and(.advice))]
    HostNotAllowed { advice: &'static str },
    #[error("the Origin header names no origin allowed here{}", and(.advice))]
    OriginNotAllowed { advice: &'static str },
    #[error("{0} is not allowed on this endpoint")]
    MethodNotAllowed(http::Method, &'static str),
    #[error("the Accept header must allow both application/json and text/event-stream")]
    PostNotAcceptable,
    #[error("the Accept header must allow text/event-stream")]
    GetNotAcceptable,
    #[error("the Content-Type header must be application/json")]
    NotJson,
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body could not be read to its end")]
    BodyUnreadable,
    #[error("the rest of the body did not come")]
    BodyTooSlow,
    /// What an embedder's gate said.
    #[error("the caller may not use this method")]
    Gate(Box<Response>),
    /// What a tool that breaks the protocol said.
    #[error("a tool answered in its own way")]
    Instead(Box<Response>),
    #[error("the message is not JSON: {reason}")]
    ParseError { reason: String },
    #[error("{reason}")]
    InvalidRequest { id: Option<RequestId>, reason: String },
    #[error("invalid params: {reason}")]
    InvalidParams { id: Option<RequestId>, reason: String },
    /// What each request of revisions without sessions has to say of itself.
    #[error("invalid params: `_meta` lacks, or has wrong: {}", .missing.join(", "))]
    MetaMissing { id: RequestId, missing: Vec<&'static str> },
    #[error("{reason}")]
    HeaderMismatch { id: Option<RequestId>, reason: String },
    #[error("the tasks of `taskIds` are for clients that declare the tasks extension")]
    NoTasks { id: RequestId },
    #[error(
        "the MCP-Protocol-Version header names `{requested}`, which this server does not speak"
    )]
    UnsupportedVersion { id: Option<RequestId>, requested: String },
    #[error("the Mcp-Session-Id header is missing: initialize first, then send the id it gave")]
    SessionRequired { id: Option<RequestId> },
    #[error("the sessionId parameter is missing: open the event stream, then send to its endpoint")]
    EndpointRequired { id: Option<RequestId> },
    #[error("the event stream is full of messages that its client has not read")]
    StreamFull { id: Option<RequestId> },
    /// Unknown, expired and somebody else's: one answer, so that nobody learns which.
    #[error("Session not found")]
    SessionNotFound { id: Option<RequestId> },
    #[error("{reason}")]
    NothingToResume { reason: &'static str },
    #[error("the limit of {limit} {what} is reached")]
    TooMany { id: Option<RequestId>, what: &'static str, limit: usize },
    #[error("{exceeded}")]
    TooOften { id: Option<RequestId>, exceeded: Exceeded },
    #[error("the server cannot reach its store; try again shortly")]
    Unavailable { id: Option<RequestId> },
    #[error("internal error")]
    Internal { id: Option<RequestId> },
}

impl Refusal {
    /// What a failing store means for the request `id`; the reason goes to the log.
    pub(crate) fn store(error: &StoreError, id: Option<RequestId>) -> Self {
        match error {
            StoreError::LimitReached { what, limit } => Self::TooMany { id, what, limit: *limit },
            StoreError::Unavailable { reason } => {
                tracing::warn!(event = "store.unavailable", reason, "the store gave no answer");
                Self::Unavailable { id }
            }
            StoreError::Corrupt { key, reason } => {
                tracing::error!(event = "store.corrupt", key, reason, "a record cannot be read");
                Self::Internal { id }
            }
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::HostNotAllowed { .. } | Self::OriginNotAllowed { .. } => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed(..) | Self::NothingToResume { .. } => {
                StatusCode::METHOD_NOT_ALLOWED
            }
            Self::PostNotAcceptable | Self::GetNotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Gate(response) | Self::Instead(response) => response.status(),
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyUnreadable
            | Self::ParseError { .. }
            | Self::InvalidRequest { .. }
            | Self::MetaMissing { .. }
            | Self::HeaderMismatch { .. }
            | Self::NoTasks { .. }
            | Self::UnsupportedVersion { .. }
            | Self::SessionRequired { .. }
            | Self::EndpointRequired { .. } => StatusCode::BAD_REQUEST,
            // An answer to a good message, as an unknown tool's would be.
            Self::InvalidParams { .. } => StatusCode::OK,
            Self::SessionNotFound { .. } => StatusCode::NOT_FOUND,
            Self::TooMany { .. } | Self::TooOften { .. } | Self::StreamFull { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::HostNotAllowed { .. }
            | Self::OriginNotAllowed { .. }
            | Self::MethodNotAllowed(..)
            | Self::NothingToResume { .. }
            | Self::PostNotAcceptable
            | Self::GetNotAcceptable
            | Self::NotJson
            | Self::BodyTooLarge { .. }
            | Self::BodyUnreadable
            | Self::BodyTooSlow
            | Self::Gate(_)
            | Self::Instead(_)
            | Self::InvalidRequest { .. }
            | Self::SessionRequired { .. }
            | Self::EndpointRequired { .. } => ErrorCode::INVALID_REQUEST,
            Self::ParseError { .. } => ErrorCode::PARSE_ERROR,
            Self::InvalidParams { .. } | Self::MetaMissing { .. } => ErrorCode::INVALID_PARAMS,
            Self::HeaderMismatch { .. } => ErrorCode::HEADER_MISMATCH,
            Self::NoTasks { .. } => ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY,
            Self::UnsupportedVersion { .. } => ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
            Self::SessionNotFound { .. } => SESSION_NOT_FOUND,
            Self::TooMany { .. }
            | Self::TooOften { .. }
            | Self::StreamFull { .. }
            | Self::Unavailable { .. }
            | Self::Internal { .. } => ErrorCode::INTERNAL_ERROR,
        }
    }

    /// Whether it is this server that cannot, rather than the client that should not.
    pub(crate) fn is_the_servers(&self) -> bool {
        self.status().is_server_error()
    }

    pub(crate) fn into_error(self) -> JsonRpcError {
        let (code, message) = (self.code(), self.to_string());
        let (id, data) = match self {
            Self::HostNotAllowed { .. }
            | Self::OriginNotAllowed { .. }
            | Self::MethodNotAllowed(..)
            | Self::NothingToResume { .. }
            | Self::PostNotAcceptable
            | Self::GetNotAcceptable
            | Self::NotJson
            | Self::BodyTooLarge { .. }
            | Self::BodyUnreadable
            | Self::BodyTooSlow
            | Self::Gate(_)
            | Self::Instead(_)
            | Self::ParseError { .. } => (None, None),
            Self::UnsupportedVersion { id, requested } => {
                let supported: Vec<_> =
                    ProtocolVersion::KNOWN_VERSIONS.iter().map(ProtocolVersion::as_str).collect();
                (id, Some(json!({ "supported": supported, "requested": requested })))
            }
            Self::NoTasks { id } => {
                let tasks = ClientCapabilities::builder().enable_tasks().build();
                (Some(id), Some(json!({ "requiredCapabilities": tasks })))
            }
            Self::MetaMissing { id, .. } => (Some(id), None),
            Self::InvalidRequest { id, .. }
            | Self::InvalidParams { id, .. }
            | Self::HeaderMismatch { id, .. }
            | Self::SessionRequired { id }
            | Self::EndpointRequired { id }
            | Self::StreamFull { id }
            | Self::SessionNotFound { id }
            | Self::TooMany { id, .. }
            | Self::TooOften { id, .. }
            | Self::Unavailable { id }
            | Self::Internal { id } => (id, None),
        };
        JsonRpcError::new(id, ErrorData::new(code, message, data))
    }

    /// The answer, and when it is worth trying again.
    pub(crate) fn respond(self, random: &dyn Random) -> Response {
        if let Self::Instead(response) = self {
            return *response;
        }
        let mut response = self.into_response();
        if matches!(
            response.status(),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        ) {
            let [least, most] = RETRY_AFTER;
            let seconds = jitter::between(random, least, most).as_secs();
            let told = response.headers_mut().entry(header::RETRY_AFTER);
            told.or_insert_with(|| HeaderValue::from(seconds));
        }
        response
    }

    pub(super) fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Gate(response) | Self::Instead(response) = self {
            return *response;
        }
        let allow = match &self {
            Self::MethodNotAllowed(_, allow) => Some(*allow),
            Self::NothingToResume { .. } => Some("GET, POST, DELETE"),
            _ => None,
        };
        let refused = self.refused();
        let exceeded = match &self {
            Self::TooOften { exceeded, .. } => Some(*exceeded),
            _ => None,
        };
        let mut response = json_response(status, &self.into_error());
        if let Some(exceeded) = exceeded {
            let seconds = HeaderValue::from(exceeded.retry_after());
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response.extensions_mut().insert(refused);
        response
    }
}

/// What an operator may do about it, behind what is wrong.
fn and(advice: &str) -> String {
    if advice.is_empty() { String::new() } else { format!("; {advice}") }
}

pub(crate) fn json_response(status: StatusCode, message: &impl Serialize) -> Response {
    match message::json(message) {
        Ok(body) => bytes_response(status, body.into()),
        Err(error) => {
            tracing::error!(event = "error", %error, "a message could not be written as JSON");
            bytes_response(
                StatusCode::INTERNAL_SERVER_ERROR,
                r#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"internal error"}}"#.into(),
            )
        }
    }
}

/// A message that is JSON already.
pub(crate) fn bytes_response(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
