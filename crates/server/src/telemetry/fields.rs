//! The fields of events and spans, as JSON, written where they go.
//!
//! What is kept of a span is text: each field on a line of its own, as a member of an object. No
//! member has a line break in it, as JSON has them escaped.

use std::fmt::{self, Write};

use mcp_everything_store::spans::TARGET;
use serde_json::Value;
use tracing::{
    field::{Field, Visit},
    span::Record,
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FmtContext, FormatFields, FormattedFields, format::Writer},
    registry::LookupSpan,
};

/// The longest value, in characters: nothing a client sends makes a line long.
const LONGEST: usize = 512;

/// Writes a text as a JSON string, and no more than so much of it.
fn quote(to: &mut dyn Write, text: fmt::Arguments<'_>) -> fmt::Result {
    to.write_char('"')?;
    Quoted { to, left: LONGEST, is_full: false }.write_fmt(text)?;
    to.write_char('"')
}

/// The inside of a JSON string.
struct Quoted<'a> {
    to: &'a mut dyn Write,
    /// How many characters there is room for.
    left: usize,
    is_full: bool,
}

impl Write for Quoted<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_full {
            return Ok(());
        }
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            if self.left == 0 {
                self.is_full = true;
                self.to.write_str(&text[plain..at])?;
                return self.to.write_char('…');
            }
            self.left -= 1;
            if c >= ' ' && c != '"' && c != '\\' {
                continue;
            }
            self.to.write_str(&text[plain..at])?;
            plain = at + 1;
            match c {
                '"' | '\\' => write!(self.to, "\\{c}")?,
                '\n' => self.to.write_str("\\n")?,
                _ => write!(self.to, "\\u{:04x}", u32::from(c))?,
            }
        }
        self.to.write_str(&text[plain..])
    }
}

/// Writes fields as members of an object, with something after each.
pub(super) struct Members<'a> {
    to: &'a mut dyn Write,
    after: char,
    written: fmt::Result,
}

impl<'a> Members<'a> {
    pub(super) fn new(to: &'a mut dyn Write, after: char) -> Self {
        Self { to, after, written: Ok(()) }
    }

    /// Whether all of it was written.
    pub(super) fn done(self) -> fmt::Result {
        self.written
    }

    fn put(&mut self, field: &Field, value: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        let Self { to, after, written } = self;
        *written = written
            .and_then(|()| write!(to, "\"{}\":", field.name()))
            .and_then(|()| value(*to))
            .and_then(|()| to.write_char(*after));
    }
}

impl Visit for Members<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, |to| quote(to, format_args!("{value}")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, |to| quote(to, format_args!("{value:?}")));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |to| write!(to, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |to| write!(to, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |to| write!(to, "{value}"));
    }

    /// What is no number in JSON is `null`.
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, |to| write!(to, "{}", Value::from(value)));
    }
}

/// Keeps the fields of a span, to be joined with those of each event in it.
pub(super) struct Kept;

impl<'writer> FormatFields<'writer> for Kept {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut members = Members::new(&mut writer, '\n');
        fields.record(&mut members);
        members.done()
    }

    /// What is recorded later takes the place of what is there.
    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let mut all = String::new();
        let mut members = Members::new(&mut all, '\n');
        fields.record(&mut members);
        members.done()?;
        let later = all.len();
        for line in current.fields.split_inclusive('\n') {
            if !all[..later].lines().any(|recorded| name_of(recorded) == name_of(line)) {
                all.push_str(line);
            }
        }
        current.fields = all;
        Ok(())
    }
}

/// The name of a member that was kept.
fn name_of(line: &str) -> &str {
    line.split('"').nth(1).unwrap_or_default()
}

/// Calls `member` with each field of the spans around an event, of the innermost first. What is
/// further out is hidden by a field of the same name, of a span or of the event.
pub(super) fn around<S, N>(
    context: &FmtContext<'_, S, N>,
    event: &tracing::Event<'_>,
    mut member: impl FnMut(&str) -> fmt::Result,
) -> fmt::Result
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let own = event.metadata().fields();
    let mut further_in: Vec<String> = Vec::new();
    for span in context.event_scope().into_iter().flatten() {
        // What is exported has its own way out.
        if span.metadata().target() == TARGET {
            continue;
        }
        let extensions = span.extensions();
        let Some(kept) = extensions.get::<FormattedFields<N>>() else { continue };
        let is_last = span.parent().is_none();
        for line in kept.fields.lines() {
            let name = name_of(line);
            if own.field(name).is_some() || further_in.iter().any(|hides| hides == name) {
                continue;
            }
            member(line)?;
            if !is_last {
                further_in.push(name.to_owned());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut written = String::new();
        quote(&mut written, format_args!("{text}")).unwrap();
        written
    }

    #[test]
    fn a_text_is_a_json_string() {
        for text in ["", "plain", "a \"b\" \\ c", "one\ntwo\r\u{0}\u{1f}\t", "gr\u{fc}n \u{1f642}"]
        {
            assert_eq!(serde_json::from_str::<String>(&quoted(text)).unwrap(), text);
            assert!(!quoted(text).contains('\n'));
        }
    }

    #[test]
    fn a_text_is_bounded_in_characters() {
        let most = "\u{fc}".repeat(LONGEST);
        assert_eq!(serde_json::from_str::<String>(&quoted(&most)).unwrap(), most);
        let mut cut = String::new();
        // In pieces, as values come.
        quote(&mut cut, format_args!("{most}{}{}", "\n", "more")).unwrap();
        assert_eq!(serde_json::from_str::<String>(&cut).unwrap(), format!("{most}…"));
    }
}
