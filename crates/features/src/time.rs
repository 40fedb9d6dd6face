//! Points in time.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};

/// Says what time it is, in milliseconds since the Unix epoch.
pub type ClockHook = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A point in time as RFC 3339 writes it, in UTC, of milliseconds since the Unix epoch.
pub(crate) fn rfc3339(millis: u64) -> String {
    let time = i64::try_from(millis).ok().and_then(DateTime::from_timestamp_millis);
    time.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}
