//! The spans that are exported, and how they are joined across instances.
//!
//! They are spans of `tracing` with a target of their own, [`TARGET`], which logs leave out. Whoever
//! exports them installs the layer of `tracing-opentelemetry`, which names them; where nobody does,
//! they are switched off where they stand and cost nothing.
//!
//! In a task the innermost span must be one of them, or it has no place in the trace: a span for the
//! log is made around them, never within.

use std::{
    fmt,
    str::FromStr as _,
    sync::atomic::{AtomicBool, Ordering},
};

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of spans that are exported.
pub const TARGET: &str = "otel";

/// Whether anybody exports spans, from the start of a process to its end.
static EXPORTED: AtomicBool = AtomicBool::new(false);

/// Whoever exports spans says so before any is made.
pub fn are_exported_here() {
    EXPORTED.store(true, Ordering::Relaxed);
}

/// Whether anybody exports spans. The subscriber is not asked: what it is asked and nothing comes of,
/// the layers that have filters of their own take for the answer to the next event.
pub fn are_exported() -> bool {
    EXPORTED.load(Ordering::Relaxed)
}

/// The span that whatever is begun here belongs to; a span that is none if nobody exports any.
pub fn current() -> Span {
    if are_exported() { Span::current() } else { Span::none() }
}

/// The span of an HTTP request to another server. Of the URL it tells the host: anything else may have
/// a secret in it, or a user's name.
pub fn request(method: &str, host: Option<&str>) -> Span {
    tracing::info_span!(
        target: TARGET,
        "request",
        otel.kind = "client",
        otel.name = method,
        http.request.method = method,
        server.address = host,
        http.response.status_code = Empty,
    )
}

/// Calls a span otherwise than it began.
pub fn rename(span: &Span, name: String) {
    if are_exported() {
        span.context().span().update_name(name);
    }
}

/// Says that what a span is about came to nothing, by a word for why. Nothing secret: it is exported.
pub fn failed(span: &Span, why: &'static str) {
    if are_exported() {
        span.set_attribute("error.type", why);
        span.set_status(Status::error(why));
    }
}

/// A span of a trace, perhaps of another process (W3C Trace Context).
#[derive(Clone, PartialEq, Eq)]
pub struct Place(SpanContext);

impl Place {
    /// The place of a span. `None`: it is not exported.
    pub fn of(span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return None;
        }
        let place = Self(span.context().span().span_context().clone());
        place.0.is_valid().then_some(place)
    }

    /// What a caller says of itself: the trace, 32 hexadecimal digits, its span, 16 of them, whether
    /// it keeps what it records, and its `tracestate`. `None` if these are no names.
    pub fn remote(trace: &str, span: &str, is_sampled: bool, state: Option<&str>) -> Option<Self> {
        let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        let flags = if is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let state = state.and_then(|state| TraceState::from_str(state).ok()).unwrap_or_default();
        let place = Self(SpanContext::new(trace, span, flags, true, state));
        place.0.is_valid().then_some(place)
    }

    /// A `traceparent` that this program wrote.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (version, rest) = text.split_once('-')?;
        let (trace, rest) = rest.split_once('-')?;
        let (span, flags) = rest.split_once('-')?;
        if version != "00" || trace.len() != 32 || span.len() != 16 {
            return None;
        }
        Self::remote(trace, span, matches!(flags, "01"), None).filter(|_| flags.len() == 2)
    }

    /// The trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.0.trace_id().to_string()
    }

    /// The span: 16 hexadecimal digits.
    pub fn span_id(&self) -> String {
        self.0.span_id().to_string()
    }

    /// Whether what is recorded of the trace is kept.
    pub fn is_sampled(&self) -> bool {
        self.0.is_sampled()
    }

    /// What the systems that the trace came through want to be told of each other.
    pub fn state(&self) -> Option<String> {
        Some(self.0.trace_state().header()).filter(|state| !state.is_empty())
    }

    /// Whether both are of one trace.
    pub fn is_with(&self, other: &Self) -> bool {
        self.0.trace_id() == other.0.trace_id()
    }

    /// Lets a span that was made just now begin below this one.
    pub fn begin(&self, span: &Span) {
        // It fails for a span that nobody exports.
        let _ = span.set_parent(Context::new().with_remote_span_context(self.0.clone()));
    }

    /// Says in a span that this one has to do with it.
    pub fn link(&self, span: &Span) {
        span.add_link(self.0.clone());
    }
}

/// As a `traceparent`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = (self.0.trace_id(), self.0.span_id());
        write!(f, "00-{trace}-{span}-{:02x}", u8::from(self.is_sampled()))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_is_read() {
        for text in [
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00",
        ] {
            let place = Place::read(text).unwrap();
            assert_eq!(place.to_string(), text);
            assert_eq!(place.is_sampled(), text.ends_with('1'));
        }
        for text in [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-1",
            "00-0af7651916cd43dd8448eb211c80319x-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Place::read(text), None, "{text}");
        }
    }

    #[test]
    fn without_an_exporter_there_are_no_spans() {
        let span = tracing::info_span!(target: TARGET, "nothing");
        assert!(span.is_disabled() && !are_exported() && current().is_none());
        assert_eq!(Place::of(&span), None);
    }
}
