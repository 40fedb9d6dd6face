//! Lines for people on a terminal.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::{
    fields::{Members, around},
    json,
};

pub(super) struct Pretty {
    pub(super) colour: bool,
}

impl<S, N> FormatEvent<S, N> for Pretty
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
        let level = *event.metadata().level();
        let mut fields = gather(context, event)?;
        let message = fields.remove("message").unwrap_or_default();
        let now = json::now();
        let time = now.get(11..19).unwrap_or(&now);
        let (paint, reset) = if self.colour { (colour(level), "\x1b[0m") } else { ("", "") };
        write!(writer, "{time} {paint}{:<7}{reset} ", json::severity(level))?;
        write!(writer, "{}", plain(message.as_str().unwrap_or_default()))?;
        for (name, value) in &fields {
            let text = match value {
                Value::String(text) if !text.contains(char::is_whitespace) => text.clone(),
                other => other.to_string(),
            };
            write!(writer, " {name}={}", plain(&text))?;
        }
        writeln!(writer)
    }
}

/// The fields of the spans around an event, and its own.
fn gather<S, N>(
    context: &FmtContext<'_, S, N>,
    event: &Event<'_>,
) -> Result<Map<String, Value>, fmt::Error>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let mut object = "{".to_owned();
    around(context, event, |member| write!(object, "{member},"))?;
    let mut members = Members::new(&mut object, ',');
    event.record(&mut members);
    members.done()?;
    object.truncate(object.trim_end_matches(',').len());
    object.push('}');
    serde_json::from_str(&object).map_err(|_| fmt::Error)
}

/// Without what would move the cursor, begin another line, or turn the order of letters around.
fn plain(text: &str) -> String {
    let unsafe_here = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if unsafe_here(c) { '\u{fffd}' } else { c }).collect()
}

const fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG | Level::TRACE => "\x1b[34m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_value_reaches_the_terminal_but_letters() {
        assert_eq!(plain("gr\u{fc}n, 1"), "gr\u{fc}n, 1");
        for c in ['\n', '\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{2028}'] {
            assert_eq!(plain(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
    }
}
