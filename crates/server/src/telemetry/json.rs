//! Lines for machines: JSON, with the severities of Google Cloud Logging.

use std::fmt;

use mcp_everything_store::InstanceId;
use serde_json::Value;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

use super::fields::{Members, around};

pub(super) struct Json {
    /// Which of the processes whose lines are gathered in one place wrote it, as JSON.
    instance: String,
}

impl Json {
    pub(super) fn new(instance: &InstanceId) -> Self {
        Self { instance: Value::from(instance.as_str()).to_string() }
    }
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        let severity = severity(*event.metadata().level());
        write!(writer, "\",\"severity\":\"{severity}\",")?;
        // A line that is about an instance names that one.
        if event.metadata().fields().field("instance").is_none() {
            write!(writer, "\"instance\":{},", self.instance)?;
        }
        around(context, event, |member| write!(writer, "{member},"))?;
        let mut members = Members::new(&mut writer, ',');
        event.record(&mut members);
        members.done()?;
        // The path of a module.
        writeln!(writer, "\"target\":\"{}\"}}", event.metadata().target())
    }
}

/// RFC 3339, in UTC.
pub(super) fn now() -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

pub(super) const fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}
