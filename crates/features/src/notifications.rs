//! What a server says unasked: three kinds of notification at fixed intervals.
//!
//! Nothing here waits or draws: whoever holds the streams calls these functions when it is time,
//! with a clock and a random number of its own.

use std::time::Duration;

use rmcp::model::{
    CustomNotification, LoggingLevel, LoggingMessageNotification, LoggingMessageNotificationParam,
    ResourceUpdatedNotification, ResourceUpdatedNotificationParam, ServerNotification,
};
use serde_json::json;

use crate::resources::shelved;

/// How often each subscribed resource is announced as updated.
pub const RESOURCE_UPDATES: Duration = Duration::from_secs(10);

/// How often a log message is sent.
pub const LOG_MESSAGES: Duration = Duration::from_secs(20);

/// How often a session is spoken to that has one of the switches below on.
pub const TOGGLED: Duration = Duration::from_secs(5);

/// The switch of a session that wants a log message as often as that.
pub const SIMULATED_LOGGING: &str = "simulatedLogging";

/// The switch of a session that wants its resources announced as often as that.
pub const SUBSCRIBER_UPDATES: &str = "subscriberUpdates";

/// How often a line of stderr is sent.
pub const STDERR_MESSAGES: Duration = Duration::from_secs(30);

/// The log messages to choose from, one for each level.
const MESSAGES: [(LoggingLevel, &str); 8] = [
    (LoggingLevel::Debug, "Debug-level message"),
    (LoggingLevel::Info, "Info-level message"),
    (LoggingLevel::Notice, "Notice-level message"),
    (LoggingLevel::Warning, "Warning-level message"),
    (LoggingLevel::Error, "Error-level message"),
    (LoggingLevel::Critical, "Critical-level message"),
    (LoggingLevel::Alert, "Alert level-message"),
    (LoggingLevel::Emergency, "Emergency-level message"),
];

/// `notifications/resources/updated` for one URI.
pub fn resource_updated(uri: impl Into<String>) -> ServerNotification {
    let param = ResourceUpdatedNotificationParam::new(uri);
    ResourceUpdatedNotification::new(param).into()
}

/// Whether a resource is announced as updated at intervals, though it is not. What is on a shelf
/// really changes, and is announced when it does.
pub fn only_seems_to_change(uri: &str) -> bool {
    shelved::name(uri).is_none()
}

/// One of eight log messages, chosen by `pick`, any number; with its level, for the caller to
/// compare with what the session wants to see ([`passes`]).
pub fn log_message(pick: u64) -> (LoggingLevel, ServerNotification) {
    picked(pick, "")
}

/// The same for a session that switched it on, whose name it bears.
pub fn simulated_log_message(pick: u64, session: &str) -> (LoggingLevel, ServerNotification) {
    picked(pick, &format!(" - SessionId {session}"))
}

fn picked(pick: u64, behind: &str) -> (LoggingLevel, ServerNotification) {
    // The remainder is below 8.
    let index = usize::try_from(pick % MESSAGES.len() as u64).unwrap_or_default();
    let (level, text) = MESSAGES[index];
    let param = LoggingMessageNotificationParam::new(level, json!(format!("{text}{behind}")));
    (level, LoggingMessageNotification::new(param).into())
}

/// `notifications/stderr`, which is no part of the protocol, with the time of day in UTC that
/// belongs to `unix_seconds`.
pub fn stderr_message(unix_seconds: u64) -> ServerNotification {
    let of_day = unix_seconds % 86_400;
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let content = format!("{hours:02}:{minutes:02}:{seconds:02}: A stderr message");
    CustomNotification::new("notifications/stderr", Some(json!({ "content": content }))).into()
}

/// Whether a message of `level` is to be sent to a client that wants `least` and worse.
pub fn passes(level: LoggingLevel, least: LoggingLevel) -> bool {
    severity(level) >= severity(least)
}

/// A level's name, as the protocol writes it.
pub(crate) fn name(level: LoggingLevel) -> &'static str {
    match level {
        LoggingLevel::Debug => "debug",
        LoggingLevel::Info => "info",
        LoggingLevel::Notice => "notice",
        LoggingLevel::Warning => "warning",
        LoggingLevel::Error => "error",
        LoggingLevel::Critical => "critical",
        LoggingLevel::Alert => "alert",
        LoggingLevel::Emergency => "emergency",
    }
}

/// The order of RFC 5424, upwards.
fn severity(level: LoggingLevel) -> u8 {
    match level {
        LoggingLevel::Debug => 0,
        LoggingLevel::Info => 1,
        LoggingLevel::Notice => 2,
        LoggingLevel::Warning => 3,
        LoggingLevel::Error => 4,
        LoggingLevel::Critical => 5,
        LoggingLevel::Alert => 6,
        LoggingLevel::Emergency => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_message_can_be_picked_and_has_no_logger() {
        let mut texts = BTreeSet::new();
        for pick in 0..8 {
            let (level, notification) = log_message(pick);
            let wire = json!(notification);
            assert_eq!(wire["method"], "notifications/message");
            assert_eq!(wire["params"]["level"], name(level));
            assert_eq!(wire["params"].get("logger"), None);
            texts.insert(wire["params"]["data"].as_str().unwrap().to_owned());
        }
        assert_eq!(texts.len(), 8);
        assert!(texts.contains("Alert level-message"), "spelt as the original spells it");
        assert_eq!(log_message(u64::MAX).0, log_message(7).0);
        let (level, notification) = simulated_log_message(9, "x");
        assert_eq!(level, LoggingLevel::Info);
        assert_eq!(json!(notification)["params"]["data"], "Info-level message - SessionId x");
    }

    #[test]
    fn a_level_passes_itself_and_worse() {
        for (index, (level, _)) in MESSAGES.iter().enumerate() {
            for (other_index, (least, _)) in MESSAGES.iter().enumerate() {
                assert_eq!(passes(*level, *least), index >= other_index, "{level:?} {least:?}");
            }
            assert_eq!(json!(level), name(*level));
        }
    }

    #[test]
    fn stderr_lines_carry_the_time_of_day() {
        for (time, content) in [
            (0, "00:00:00: A stderr message"),
            (86_399, "23:59:59: A stderr message"),
            (1_767_225_600 + 3 * 3600 + 4 * 60 + 5, "03:04:05: A stderr message"),
        ] {
            let wire = json!(stderr_message(time));
            assert_eq!(wire["method"], "notifications/stderr");
            assert_eq!(wire["params"]["content"], content);
        }
    }

    #[test]
    fn what_really_changes_is_not_announced_for_show() {
        assert!(only_seems_to_change("test://static/resource/1"));
        assert!(!only_seems_to_change("demo://document/notes"));
        assert!(!only_seems_to_change("demo://resource/session/a.gz"));
    }

    #[test]
    fn an_update_names_its_resource() {
        let wire = json!(resource_updated("test://static/resource/1"));
        assert_eq!(wire["method"], "notifications/resources/updated");
        assert_eq!(wire["params"]["uri"], "test://static/resource/1");
    }
}
