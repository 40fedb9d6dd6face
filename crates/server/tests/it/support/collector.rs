//! A collector of traces: what an operator runs, as far as a test needs it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode as Outcome},
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::soon;

/// It ends with the test.
pub(crate) struct Collector {
    pub(crate) port: u16,
    got: Arc<Got>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Got {
    spans: Mutex<Vec<Exported>>,
    headers: Mutex<Vec<HeaderMap>>,
    more: watch::Sender<()>,
}

/// A span as it came. Ids are in hexadecimal, times in nanoseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct Exported {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty: the trace begins with it.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Traces that it has to do with.
    pub(crate) links: Vec<String>,
    pub(crate) failed: bool,
    pub(crate) service: String,
    pub(crate) instance: String,
}

impl Exported {
    pub(crate) fn is(&self, name: &str, value: &str) -> bool {
        self.attributes.get(name).is_some_and(|held| held == value)
    }
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self::on(0).await
    }

    /// On this port, or any.
    pub(crate) async fn on(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::<Got>::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&got));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, got, task }
    }

    /// The settings of a server that exports to it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 2] {
        let endpoint = format!("http://127.0.0.1:{}", self.port);
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned())]
    }

    pub(crate) fn spans(&self) -> Vec<Exported> {
        self.got.spans.lock().unwrap().clone()
    }

    /// What came with each request.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.got.headers.lock().unwrap().clone()
    }

    /// The spans of a trace, when these are there, as often as they are named.
    pub(crate) async fn trace(&self, trace: &str, names: &[&str]) -> Vec<Exported> {
        let of_it = || {
            let spans = self.spans().into_iter().filter(|span| span.trace == trace);
            spans.collect::<Vec<_>>()
        };
        let mut more = self.got.more.subscribe();
        let there = async {
            loop {
                more.mark_unchanged();
                let spans = of_it();
                let count = |name: &str, all: &mut dyn Iterator<Item = &str>| {
                    all.filter(|one| *one == name).count()
                };
                let missing = names.iter().any(|name| {
                    let there = count(name, &mut spans.iter().map(|span| span.name.as_str()));
                    there < count(name, &mut names.iter().copied())
                });
                if !missing {
                    return spans;
                }
                more.changed().await.unwrap();
            }
        };
        let found = tokio::time::timeout(super::BOUND, there).await;
        found.unwrap_or_else(|_| {
            let names: Vec<_> = of_it().into_iter().map(|span| span.name).collect();
            panic!("not all of it comes, but {names:?}")
        })
    }

    /// Waits for a span of this name.
    pub(crate) async fn span(&self, name: &str) -> Exported {
        let mut more = self.got.more.subscribe();
        loop {
            more.mark_unchanged();
            let found = self.spans().into_iter().find(|span| span.name == name);
            if let Some(found) = found {
                return found;
            }
            soon(more.changed()).await.unwrap();
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(got): State<Arc<Got>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    for resource in request.resource_spans {
        let said = attributes(resource.resource.unwrap_or_default().attributes);
        for scope in resource.scope_spans {
            let spans = scope.spans.into_iter().map(|span| exported(span, &said));
            got.spans.lock().unwrap().extend(spans);
        }
    }
    got.headers.lock().unwrap().push(headers);
    got.more.send_replace(());
    StatusCode::OK
}

fn exported(span: Span, resource: &BTreeMap<String, String>) -> Exported {
    Exported {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        kind: span.kind(),
        name: span.name,
        begin: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        attributes: attributes(span.attributes),
        links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
        failed: span.status.is_some_and(|status| status.code() == Outcome::Error),
        service: resource["service.name"].clone(),
        instance: resource["service.instance.id"].clone(),
    }
}

fn attributes(all: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is)) => is.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pair = |one: KeyValue| (one.key, text(one.value.and_then(|value| value.value)));
    all.into_iter().map(pair).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
