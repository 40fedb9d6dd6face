//! The spans of the protocol that are exported, by the semantic conventions of OpenTelemetry for MCP.
//!
//! Of a message they have the method, the names of tools and prompts, and ids: nothing that a tool is
//! told or says.

use std::borrow::Cow;

use axum::{body::Body, response::Response};
use futures::StreamExt as _;
use http::request::Parts;
use mcp_everything_store::{
    Bell,
    spans::{self, Place, TARGET},
};
use rmcp::model::{ErrorData, RequestId, ServerRequest};
use serde::Deserialize;
use tracing::{Span, field::Empty};

use super::{SpanContext, TraceContext};
use crate::{
    call::Call,
    message::{Envelope, Kind},
};

impl SpanContext {
    /// The caller's span.
    pub(super) fn parent(&self) -> Option<Place> {
        let Self { trace_id, parent_id, is_sampled, state, .. } = self;
        Place::remote(trace_id, parent_id.as_deref()?, *is_sampled, state.as_deref())
    }

    /// A span by the name that it is exported by.
    pub(super) fn named(place: &Place, parent_id: Option<String>) -> Self {
        Self {
            trace_id: place.trace_id(),
            span_id: place.span_id(),
            parent_id,
            is_sampled: place.is_sampled(),
            state: place.state(),
        }
    }

    /// Its own place, as another process of the trace sees it.
    fn place(&self) -> Option<Place> {
        let Self { trace_id, span_id, is_sampled, state, .. } = self;
        Place::remote(trace_id, span_id, *is_sampled, state.as_deref())
    }
}

/// The longest name of a tool or prompt that a span is called by; what is longer is none of ours.
const LONGEST: usize = 64;

/// The span of a message, and what it says of its trace if it is exported: `found` is what the message
/// itself says. It begins below that, and is linked to the HTTP request that brought it; or else
/// below that request.
pub(super) fn of_message(
    parts: &Parts,
    envelope: &Envelope<'_>,
    found: Option<&TraceContext>,
) -> (Span, Option<TraceContext>) {
    let (id, method) = match &envelope.kind {
        Kind::Request { id, method } => (Some(id), method),
        Kind::Notification { method } => (None, method),
        // Of an answer the request that brings it is all that is told.
        Kind::Response { .. } | Kind::Error { .. } => return (Span::none(), None),
    };
    let span = tracing::info_span!(
        target: TARGET,
        "message",
        otel.name = Empty,
        otel.kind = "server",
        mcp.method.name = %method,
        mcp.session.id = Empty,
        mcp.protocol.version = Empty,
        jsonrpc.request.id = id.map(RequestId::to_string),
        gen_ai.operation.name = Empty,
        gen_ai.tool.name = Empty,
        gen_ai.prompt.name = Empty,
        network.transport = "tcp",
        network.protocol.name = "http",
        error.type = Empty,
        rpc.response.status_code = Empty,
        otel.status_code = Empty,
    );
    if span.is_disabled() {
        return (Span::none(), None);
    }
    describe(&span, parts, method, envelope);
    let outer = parts.extensions.get::<TraceContext>();
    let request = outer.and_then(|outer| outer.span.as_ref()).and_then(SpanContext::place);
    let caller = found.and_then(|found| found.span.as_ref()?.parent());
    let parent = match (&caller, &request) {
        (Some(caller), request) => {
            caller.begin(&span);
            if let Some(request) = request {
                request.link(&span);
            }
            Some(caller.span_id())
        }
        (None, Some(request)) => Some(request.span_id()),
        (None, None) => None,
    };
    let Some(place) = Place::of(&span) else { return (Span::none(), None) };
    let baggage = found.or(outer).and_then(|found| found.baggage.clone());
    (span, Some(TraceContext { span: Some(SpanContext::named(&place, parent)), baggage }))
}

fn describe(span: &Span, parts: &Parts, method: &str, envelope: &Envelope<'_>) {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    span.record("mcp.session.id", header("mcp-session-id"));
    span.record("mcp.protocol.version", header("mcp-protocol-version"));
    let kind = match method {
        "tools/call" => "gen_ai.tool.name",
        "prompts/get" => "gen_ai.prompt.name",
        _ => {
            span.record("otel.name", method);
            return;
        }
    };
    if method == "tools/call" {
        span.record("gen_ai.operation.name", "execute_tool");
    }
    match envelope.params.and_then(|params| name(params.get())) {
        Some(name) => {
            span.record(kind, &*name);
            span.record("otel.name", format_args!("{method} {name}"));
        }
        None => _ = span.record("otel.name", method),
    }
}

fn name(params: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
    }
    let named: Named<'_> = serde_json::from_str(params).ok()?;
    (named.name.len() <= LONGEST).then_some(named.name)
}

/// Says in the span of the message at hand that it is answered with an error.
pub(crate) fn refused(error: &ErrorData) {
    if spans::are_exported() {
        let (span, code) = (Span::current(), error.code.0.to_string());
        span.record("rpc.response.status_code", &*code);
        span.record("error.type", &*code);
        span.record("otel.status_code", "ERROR");
    }
}

/// The same of a tool whose result is an error.
pub(crate) fn tool_failed() {
    if spans::are_exported() {
        let span = Span::current();
        span.record("error.type", "tool_error");
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of a question that a call asks its client, until it is answered: below the call's.
pub(crate) fn asks(call: &Span, request: &ServerRequest) -> Span {
    if call.is_disabled() {
        return Span::none();
    }
    let method = match request {
        ServerRequest::PingRequest(_) => "ping",
        ServerRequest::CreateMessageRequest(_) => "sampling/createMessage",
        ServerRequest::ListRootsRequest(_) => "roots/list",
        ServerRequest::ElicitRequest(_) => "elicitation/create",
        ServerRequest::CustomRequest(custom) => &custom.method,
        _ => "unknown",
    };
    tracing::info_span!(
        target: TARGET,
        parent: call,
        "question",
        otel.name = method,
        otel.kind = "client",
        mcp.method.name = method,
    )
}

/// The span of hearing a bell that was rung at a place in a trace. What is heard for a call belongs to
/// the call's trace: if that is another than the one of whoever rang, they are linked.
pub(crate) fn hears(bell: &Bell, rung_at: Option<&Place>, call: Option<&Call>) -> Span {
    let Some(rung_at) = rung_at else { return Span::none() };
    let kind = bell.kind();
    let span = tracing::info_span!(target: TARGET, parent: None, "hear", otel.kind = "consumer",
        otel.name = format_args!("hear {kind}"), messaging.system = "redis",
        messaging.operation.name = "hear", messaging.operation.type = "process");
    match call.and_then(|call| Place::of(&call.span)) {
        Some(own) if !own.is_with(rung_at) => {
            own.begin(&span);
            rung_at.link(&span);
        }
        Some(_) | None => rung_at.begin(&span),
    }
    span
}

/// A response whose span goes on until its body has ended, or is given up.
pub(crate) fn held(response: Response, span: &Span) -> Response {
    if span.is_disabled() {
        return response;
    }
    let span = span.clone();
    response.map(|body| {
        Body::from_stream(body.into_data_stream().map(move |piece| {
            let _open = &span;
            piece
        }))
    })
}
