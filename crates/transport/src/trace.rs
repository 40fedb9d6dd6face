//! Where a request belongs in a trace: W3C Trace Context and W3C Baggage, from HTTP headers and from
//! `_meta` (2026-07-28, OpenTelemetry trace context).
//!
//! The request's own span has a name, so that the log lines of several processes that serve one
//! trace can be joined, and passed on to whoever is asked in turn. Where spans are exported
//! ([`mcp_everything_store::spans`], the embedder's matter) that is the name of the one that is; else
//! it is made here.

mod baggage;
mod exported;
mod parent;
mod state;

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, request::Parts};
use mcp_everything_store::{Random, spans::Place};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::{Span, field::Empty};

pub(crate) use self::exported::{asks, hears, held, refused, tool_failed};
use self::{exported::of_message, parent::Parent};
use crate::message::Envelope;

/// The fields of a span that [`TraceContext::record`] fills in. A span must be made with them to have
/// them.
const FIELDS: [&str; 3] = ["trace_id", "span_id", "parent_id"];

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// What a request says of the trace that it belongs to.
///
/// Of what is malformed nothing is kept, as the two specifications ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Its place in a trace, if it named one.
    pub span: Option<SpanContext>,
    /// What travels with the trace, as it came. Of a client's own choosing: nothing to log.
    pub baggage: Option<String>,
}

/// The span of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanContext {
    /// The trace: 32 hexadecimal digits.
    pub trace_id: String,
    /// The request itself, as this server names it: 16 hexadecimal digits.
    pub span_id: String,
    /// The span that it was caused by, likewise: the caller's, or that of the HTTP request which
    /// brought it, where that is exported. `None`: the trace begins with it.
    pub parent_id: Option<String>,
    /// Whether the caller keeps what it records of the trace.
    pub is_sampled: bool,
    /// What the systems that the trace came through want to be told of each other.
    pub state: Option<String>,
}

impl SpanContext {
    /// What whoever is asked in the course of the request is told of it: the value of `traceparent`.
    pub fn traceparent(&self) -> String {
        let Self { trace_id, span_id, is_sampled, .. } = self;
        format!("00-{trace_id}-{span_id}-{:02x}", u8::from(*is_sampled))
    }
}

impl TraceContext {
    /// What the headers of a request say. `None`: nothing that can be used.
    pub fn of_headers(headers: &HeaderMap, random: &dyn Random) -> Option<Self> {
        let parent = only(headers, PARENT);
        let state = parent.and_then(|_| joined(headers, STATE));
        let baggage = joined(headers, BAGGAGE);
        Self::read(parent, state.as_deref(), baggage.as_deref(), || span_id(random))
    }

    /// What the `_meta` of `params` says. `None`: nothing that can be used.
    pub(crate) fn of_params(params: &RawValue, span_id: impl FnOnce() -> String) -> Option<Self> {
        // Most requests have nothing of it and are not read for it.
        if !["\"traceparent\"", "\"baggage\""].iter().any(|key| params.get().contains(key)) {
            return None;
        }
        let Meta { parent, state, baggage } =
            serde_json::from_str::<Params<'_>>(params.get()).ok()?.meta;
        let [parent, state, baggage] = [parent, state, baggage].map(text);
        Self::read(parent.as_deref(), state.as_deref(), baggage.as_deref(), span_id)
    }

    fn read(
        parent: Option<&str>,
        state: Option<&str>,
        baggage: Option<&str>,
        span_id: impl FnOnce() -> String,
    ) -> Option<Self> {
        // Without a good parent the state means nothing (Trace Context, section 3.3.1).
        let span = parent.and_then(Parent::read).map(|parent| SpanContext {
            trace_id: parent.trace_id.to_owned(),
            span_id: span_id(),
            parent_id: Some(parent.span_id.to_owned()),
            is_sampled: parent.is_sampled,
            state: state.and_then(state::read),
        });
        let baggage = baggage.and_then(baggage::read);
        (span.is_some() || baggage.is_some()).then_some(Self { span, baggage })
    }

    /// What is said of a request for which `span` was made just now: if that is exported, it begins
    /// below the caller's, and gives the request its name.
    pub fn exported(found: Option<Self>, span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return found;
        }
        let (caller, baggage) = match found {
            Some(Self { span, baggage }) => (span, baggage),
            None => (None, None),
        };
        let parent = caller.as_ref().and_then(SpanContext::parent);
        if let Some(parent) = &parent {
            parent.begin(span);
        }
        let span = match Place::of(span) {
            Some(place) => Some(SpanContext::named(&place, parent.map(|parent| parent.span_id()))),
            None => caller,
        };
        (span.is_some() || baggage.is_some()).then_some(Self { span, baggage })
    }

    /// Writes it into the fields `trace_id`, `span_id` and `parent_id` of a span that was made with
    /// them, from where they are in all its log lines.
    pub fn record(&self, span: &Span) {
        if let Some(SpanContext { trace_id, span_id, parent_id, .. }) = &self.span {
            let values = [Some(trace_id), Some(span_id), parent_id.as_ref()];
            for (field, value) in FIELDS.into_iter().zip(values) {
                span.record(field, value.map(String::as_str));
            }
        }
    }
}

/// The span for the log lines of a request, in its extensions, where the innermost span is one that
/// is exported.
#[derive(Clone, Debug)]
pub struct LogSpan(pub Span);

/// Reads what the one message of a request says of its trace. It counts for more than what the
/// request's headers say, and is recorded in the span of the request's log lines. What comes back is
/// the message's own span, if it is exported.
pub(crate) fn enter(parts: &mut Parts, envelope: &Envelope<'_>, random: &dyn Random) -> Span {
    let outer = parts.extensions.get::<TraceContext>();
    // The request has one name, by whatever way it is told of its trace.
    let own = outer.and_then(|outer| Some(outer.span.as_ref()?.span_id.clone()));
    let own = || own.unwrap_or_else(|| span_id(random));
    let found = envelope.params.and_then(|params| TraceContext::of_params(params, own));
    let (exported, named) = of_message(parts, envelope, found.as_ref());
    let found = match (named.or(found), outer) {
        (Some(found), _) => Some(found),
        (None, Some(_)) => None,
        (None, None) => TraceContext::of_headers(&parts.headers, random),
    };
    if let Some(found) = found {
        let log = parts.extensions.get::<LogSpan>().map(|log| log.0.clone());
        found.record(&log.unwrap_or_else(Span::current));
        parts.extensions.insert(found);
    }
    exported
}

/// The same of one of several messages: the span of its log lines, and below that its own.
pub(crate) fn message(
    parts: &mut Parts,
    envelope: &Envelope<'_>,
    random: &dyn Random,
) -> (Span, Span) {
    let named = || span_id(random);
    let found = envelope.params.and_then(|params| TraceContext::of_params(params, named));
    let log = span(None);
    // Within the span of the message's log lines, so that they have what that says.
    let (exported, named) = log.in_scope(|| of_message(parts, envelope, found.as_ref()));
    let found = named.or(found).or_else(|| TraceContext::of_headers(&parts.headers, random));
    if let Some(found) = found {
        found.record(&log);
        parts.extensions.insert(found);
    }
    (log, exported)
}

/// A span for the log lines of a message.
pub(crate) fn span(found: Option<&TraceContext>) -> Span {
    let span = tracing::info_span!("message", trace_id = Empty, span_id = Empty, parent_id = Empty);
    if let Some(found) = found {
        found.record(&span);
    }
    span
}

/// A name for a span: 16 hexadecimal digits, not all of them zero.
pub(crate) fn span_id(random: &dyn Random) -> String {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    if bytes == [0; 8] {
        bytes[7] = 1;
    }
    let mut text = String::with_capacity(16);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, rename = "_meta")]
    meta: Meta<'a>,
}

/// Each as it came, so that one of the wrong type does not spoil the others.
#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "traceparent")]
    parent: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "tracestate")]
    state: Option<&'a RawValue>,
    #[serde(borrow, default)]
    baggage: Option<&'a RawValue>,
}

fn text(value: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(value?.get()).ok()
}

/// A header that may be there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A header whose values are one list.
fn joined(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values: Result<Vec<_>, _> =
        headers.get_all(name).iter().map(|value| value.to_str()).collect();
    let values = values.ok()?;
    (!values.is_empty()).then(|| values.join(","))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Request};
    use mcp_everything_store::SystemRandom;
    use serde_json::json;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
    const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-00";

    fn of_headers(headers: &[(&'static str, &str)]) -> Option<TraceContext> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        TraceContext::of_headers(&map, &SystemRandom)
    }

    fn entered(header: Option<&str>, params: &serde_json::Value) -> Option<TraceContext> {
        let mut request = Request::post("/mcp");
        if let Some(value) = header {
            request = request.header("traceparent", value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": params });
        let message = message.to_string();
        let envelope = Envelope::read(message.as_bytes()).unwrap();
        assert!(enter(&mut parts, &envelope, &SystemRandom).is_none(), "nobody exports it");
        parts.extensions.remove()
    }

    #[test]
    fn a_request_is_a_span_of_its_own_below_its_callers() {
        let span = of_headers(&[("traceparent", PARENT), ("tracestate", "a=1,b=2")]).unwrap().span;
        let span = span.unwrap();
        assert_eq!(span.trace_id, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((span.parent_id.as_deref(), span.is_sampled), (Some("00f067aa0ba902b7"), true));
        assert_eq!(span.state.as_deref(), Some("a=1,b=2"));
        assert_eq!(span.span_id.len(), 16);
        assert_ne!(Some(&span.span_id), span.parent_id.as_ref());
        let passed_on = format!("00-{}-{}-01", span.trace_id, span.span_id);
        assert_eq!(span.traceparent(), passed_on);
    }

    #[test]
    fn what_is_malformed_is_left_out() {
        assert_eq!(of_headers(&[]), None);
        assert_eq!(of_headers(&[("traceparent", "00-xyz")]), None);
        assert_eq!(of_headers(&[("traceparent", PARENT), ("traceparent", PARENT)]), None);
        assert_eq!(of_headers(&[("tracestate", "a=1")]), None, "without a parent");
        let with = of_headers(&[("traceparent", PARENT), ("tracestate", "=")]).unwrap();
        assert_eq!(with.span.unwrap().state, None, "the parent is good all the same");
        let baggage = of_headers(&[("traceparent", "no"), ("baggage", "a=1"), ("baggage", "b=2")]);
        let baggage = baggage.unwrap();
        assert_eq!((baggage.span, baggage.baggage.as_deref()), (None, Some("a=1,b=2")));
    }

    #[test]
    fn the_message_counts_for_more_than_the_header() {
        let trace = |found: Option<TraceContext>| found.unwrap().span.unwrap().trace_id;
        let meta = json!({ "_meta": { "traceparent": OTHER, "tracestate": 7 } });
        assert_eq!(trace(entered(Some(PARENT), &meta)), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace(entered(None, &meta)), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace(entered(Some(PARENT), &json!({}))), "0af7651916cd43dd8448eb211c80319c");
        let wrong = json!({ "_meta": { "traceparent": "00-0" } });
        assert_eq!(trace(entered(Some(PARENT), &wrong)), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(entered(None, &json!({ "name": "traceparent" })), None);
    }
}
