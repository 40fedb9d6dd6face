//! The fields of an event or a span, as JSON values.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{
    field::{Field, Visit},
    span::Record,
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FmtContext, FormatFields, FormattedFields, format::Writer},
    registry::{LookupSpan, Scope},
};

/// Fields, gathered. Values are bounded: nothing a client sends makes a line long.
#[derive(Default)]
pub(super) struct Fields(pub(super) Map<String, Value>);

/// The longest value, in characters.
const LONGEST: usize = 512;

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

fn bounded(text: &str) -> Value {
    let mut kept: String = text.chars().take(LONGEST).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    Value::String(kept)
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, bounded(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, bounded(&format!("{value:?}")));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

/// Keeps a span's fields as a JSON object, to be joined with each event's.
pub(super) struct Kept;

impl<'writer> FormatFields<'writer> for Kept {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut gathered = Fields::default();
        fields.record(&mut gathered);
        write!(writer, "{}", Value::Object(gathered.0))
    }

    /// What is recorded later joins what is there.
    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let mut gathered = Fields(serde_json::from_str(&current.fields).unwrap_or_default());
        fields.record(&mut gathered);
        current.fields = Value::Object(gathered.0).to_string();
        Ok(())
    }
}

/// The fields of the spans around an event, the outermost first, then the event's own.
pub(super) fn gather<S, N>(
    context: &FmtContext<'_, S, N>,
    event: &tracing::Event<'_>,
) -> Map<String, Value>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let mut gathered = Fields::default();
    for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
        let extensions = span.extensions();
        let kept = extensions.get::<FormattedFields<N>>();
        if let Some(Ok(Value::Object(fields))) =
            kept.map(|kept| serde_json::from_str(kept.fields.as_str()))
        {
            gathered.0.extend(fields);
        }
    }
    event.record(&mut gathered);
    gathered.0
}
