//! What the features need of a session, supplied by the transport's.
#![expect(
    deprecated,
    reason = "2026-07-28 deprecates logging (SEP-2577); the revisions before have it"
)]

use std::collections::BTreeSet;

use async_trait::async_trait;
use mcp_everything_features::{SessionState, StateError};
use mcp_everything_store::{LogLevel, StoreError};
use mcp_everything_transport::{SessionError, SessionHandle};
use rmcp::model::LoggingLevel;

/// A session kept by the transport's store.
#[derive(Debug)]
pub(crate) struct StoredSession(pub(crate) SessionHandle);

#[async_trait]
impl SessionState for StoredSession {
    async fn log_level(&self) -> Result<LoggingLevel, StateError> {
        let state = self.0.state().await.map_err(|error| told(&error))?;
        Ok(to_rmcp(state.level))
    }

    async fn set_log_level(&self, level: LoggingLevel) -> Result<(), StateError> {
        self.0.set_level(from_rmcp(level)).await.map_err(|error| told(&error))
    }

    async fn subscribe(&self, uri: &str) -> Result<(), StateError> {
        self.0.subscribe(uri).await.map_err(|error| told(&error))
    }

    async fn unsubscribe(&self, uri: &str) -> Result<(), StateError> {
        self.0.unsubscribe(uri).await.map_err(|error| told(&error))
    }

    async fn subscriptions(&self) -> Result<BTreeSet<String>, StateError> {
        Ok(self.0.state().await.map_err(|error| told(&error))?.subscriptions)
    }
}

fn told(error: &SessionError) -> StateError {
    match error {
        SessionError::Gone => StateError::Gone,
        SessionError::Store(StoreError::LimitReached { .. }) => StateError::LimitReached,
        SessionError::Store(StoreError::Unavailable { .. } | StoreError::Corrupt { .. }) => {
            tracing::warn!(event = "store.unavailable", %error, "a session gave no answer");
            StateError::Unavailable
        }
    }
}

pub(crate) const fn to_rmcp(level: LogLevel) -> LoggingLevel {
    match level {
        LogLevel::Debug => LoggingLevel::Debug,
        LogLevel::Info => LoggingLevel::Info,
        LogLevel::Notice => LoggingLevel::Notice,
        LogLevel::Warning => LoggingLevel::Warning,
        LogLevel::Error => LoggingLevel::Error,
        LogLevel::Critical => LoggingLevel::Critical,
        LogLevel::Alert => LoggingLevel::Alert,
        LogLevel::Emergency => LoggingLevel::Emergency,
    }
}

const fn from_rmcp(level: LoggingLevel) -> LogLevel {
    match level {
        LoggingLevel::Debug => LogLevel::Debug,
        LoggingLevel::Info => LogLevel::Info,
        LoggingLevel::Notice => LogLevel::Notice,
        LoggingLevel::Warning => LogLevel::Warning,
        LoggingLevel::Error => LogLevel::Error,
        LoggingLevel::Critical => LogLevel::Critical,
        LoggingLevel::Alert => LogLevel::Alert,
        LoggingLevel::Emergency => LogLevel::Emergency,
    }
}
