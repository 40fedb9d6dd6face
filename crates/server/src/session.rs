//! What the features need of a session, supplied by the transport's.
#![expect(
    deprecated,
    reason = "2026-07-28 deprecates logging (SEP-2577); the revisions before have it"
)]

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use mcp_everything_features::{SessionState, StateError};
use mcp_everything_store::{LogLevel, Random, StoreError, oauth::AttemptId};
use mcp_everything_transport::{SessionError, SessionHandle};
use rmcp::model::LoggingLevel;

/// A session kept by the transport's store.
pub(crate) struct StoredSession {
    pub(crate) handle: SessionHandle,
    pub(crate) random: Arc<dyn Random>,
}

#[async_trait]
impl SessionState for StoredSession {
    async fn log_level(&self) -> Result<LoggingLevel, StateError> {
        let state = self.handle.state().await.map_err(|error| told(&error))?;
        Ok(to_rmcp(state.level))
    }

    async fn set_log_level(&self, level: LoggingLevel) -> Result<(), StateError> {
        self.handle.set_level(from_rmcp(level)).await.map_err(|error| told(&error))
    }

    async fn subscribe(&self, uri: &str) -> Result<(), StateError> {
        self.handle.subscribe(uri).await.map_err(|error| told(&error))
    }

    async fn unsubscribe(&self, uri: &str) -> Result<(), StateError> {
        self.handle.unsubscribe(uri).await.map_err(|error| told(&error))
    }

    async fn subscriptions(&self) -> Result<BTreeSet<String>, StateError> {
        Ok(self.handle.state().await.map_err(|error| told(&error))?.subscriptions)
    }

    fn id(&self) -> String {
        self.handle.id().to_string()
    }

    async fn flip(&self, switch: &str) -> Result<bool, StateError> {
        let attempt = AttemptId::draw(&*self.random);
        self.handle.flip(switch, &attempt).await.map_err(|error| told(&error))
    }

    async fn switches(&self) -> Result<BTreeSet<String>, StateError> {
        Ok(self.handle.state().await.map_err(|error| told(&error))?.switches)
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
