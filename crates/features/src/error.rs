//! The ways a call can end without a result, and what the client is told.

use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock},
};
use thiserror::Error;

use crate::text::quoted;

/// Why a session's state gave no answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum StateError {
    /// The session has ended.
    #[error("the session has ended")]
    Gone,
    /// What keeps the state cannot be reached; the same request may work later.
    #[error("the session's state is not available, try again later")]
    Unavailable,
    /// The session may not hold more.
    #[error("the session holds as many subscriptions as it may")]
    LimitReached,
}

impl From<StateError> for ErrorData {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Gone | StateError::LimitReached => {
                Self::invalid_request(error.to_string(), None)
            }
            StateError::Unavailable => Self::internal_error(error.to_string(), None),
        }
    }
}

/// Why a tool or a prompt gives no result.
#[derive(Debug, Error)]
pub enum CallError {
    /// It did not work, and the model or user should read why: a result with `isError`.
    #[error("{0}")]
    Failed(String),
    /// The request cannot be answered: a JSON-RPC error.
    #[error("{}", .0.message)]
    Protocol(ErrorData),
    /// The client cancelled the call; nobody reads what is said now.
    #[error("the call was cancelled")]
    Cancelled,
    /// The client must answer questions first (2026-07-28). Only [`Call`](crate::Call) says so;
    /// pass it on with `?`.
    #[error("the call waits for the client's answers")]
    Waiting(Waiting),
}

impl CallError {
    /// A failure that the model or user should read.
    pub fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }
}

impl From<ErrorData> for CallError {
    fn from(error: ErrorData) -> Self {
        Self::Protocol(error)
    }
}

impl From<StateError> for CallError {
    fn from(error: StateError) -> Self {
        Self::Protocol(error.into())
    }
}

/// Says that questions were put down for the client. It cannot be made outside this crate.
#[derive(Debug)]
pub struct Waiting(pub(crate) ());

/// Why [`Everything`](crate::Everything) cannot be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// Two tools have the same name.
    #[error("there are two tools named {0}")]
    DuplicateTool(String),
    /// The schema of a tool's input is not a valid JSON Schema 2020-12.
    #[error("the input schema of the tool {tool} cannot be used: {reason}")]
    Schema {
        /// The tool's name.
        tool: String,
        /// What is wrong with the schema.
        reason: String,
    },
    /// The pattern of a resource template is not one that URIs can be matched against.
    #[error("the resource template {template} cannot be used: {reason}")]
    Template {
        /// The pattern.
        template: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// The result of a tool that did not work.
pub(crate) fn failed(text: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

/// `-32602` for a name or address that nothing here has.
pub(crate) fn unknown(what: &str, name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("Unknown {what}: {}", quoted(name)), None)
}

#[cfg(test)]
mod tests {
    use rmcp::model::ErrorCode;

    use super::*;

    #[test]
    fn state_errors_have_a_code_and_tell_nothing_internal() {
        for (error, code) in [
            (StateError::Gone, ErrorCode::INVALID_REQUEST),
            (StateError::Unavailable, ErrorCode::INTERNAL_ERROR),
            (StateError::LimitReached, ErrorCode::INVALID_REQUEST),
        ] {
            let data = ErrorData::from(error);
            assert_eq!(data.code, code);
            assert_eq!(data.message, error.to_string());
            assert_eq!(data.data, None);
        }
    }

    #[test]
    fn unknown_names_are_repeated_bounded_and_escaped() {
        let error = unknown("tool", &format!("x\n{}", "y".repeat(500)));
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
        assert!(error.message.starts_with("Unknown tool: x\\ny"));
        assert!(error.message.chars().count() < 130);
    }
}
