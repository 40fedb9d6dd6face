//! The trace that a request belongs to, and how it is passed on.

use rmcp::model::MetaObject;
use schemars::JsonSchema;
use serde::Serialize;

/// The trace that a request belongs to (W3C Trace Context, W3C Baggage), as the embedding server
/// read it. What was malformed is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// The request's place in it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<TraceSpan>,
    /// What systems that the trace came through added to it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// What travels with the trace
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baggage: Option<String>,
}

/// A request's place in a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceSpan {
    /// The trace: 32 hexadecimal digits
    pub trace_id: String,
    /// The request, as this server names it: 16 hexadecimal digits
    pub span_id: String,
    /// The span that caused it, likewise; none if the trace begins with it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Whether what is recorded of the trace is kept
    pub sampled: bool,
    /// What whoever is asked in the course of the request is told of all this.
    #[serde(skip)]
    pub traceparent: String,
}

impl Trace {
    /// Says in the `_meta` of a message to the client that it comes of the request (2026-07-28,
    /// OpenTelemetry trace context).
    pub(crate) fn put(&self, meta: &mut MetaObject) {
        if let Some(span) = &self.span {
            meta.set_traceparent(&span.traceparent);
        }
        if let Some(tracestate) = &self.tracestate {
            meta.set_tracestate(tracestate);
        }
        if let Some(baggage) = &self.baggage {
            meta.set_baggage(baggage);
        }
    }
}
