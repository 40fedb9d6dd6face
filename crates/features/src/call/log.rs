//! Log messages to the client.

use rmcp::model::{LoggingLevel, LoggingMessageNotification, LoggingMessageNotificationParam};
use serde_json::Value;

use super::Call;
use crate::{error::CallError, notifications, wire::Wire};

impl Call<'_> {
    /// Sends a log message, if the client wants messages of this severity.
    ///
    /// Up to 2025-11-25 it says so with `logging/setLevel`, on 2026-07-28 with each request, and
    /// no level there means no messages (Logging, Per-Request Log Level). `data` must hold no
    /// secrets.
    pub async fn log(
        &self,
        level: LoggingLevel,
        logger: &str,
        data: impl Into<Value> + Send,
    ) -> Result<(), CallError> {
        let least = match (self.wire, self.session) {
            (Wire::Stateful, Some(session)) => Some(session.log_level().await?),
            (Wire::Stateful, None) => Some(LoggingLevel::Debug),
            (Wire::Stateless, _) => self.context.meta.log_level(),
        };
        if least.is_some_and(|least| notifications::passes(level, least)) {
            let message =
                LoggingMessageNotificationParam::new(level, data.into()).with_logger(logger);
            self.notify(LoggingMessageNotification::new(message).into()).await;
        }
        Ok(())
    }
}
