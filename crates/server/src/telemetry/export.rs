//! Traces, sent to a collector (OpenTelemetry, OTLP over HTTP).
//!
//! Spans wait in a queue that is bounded, and a thread of its own sends them: no request waits for it.

mod outages;

use std::{sync::OnceLock, time::Duration};

use mcp_everything_store::{
    InstanceId,
    spans::{TARGET, are_exported_here},
};
use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, SpanKind, TraceContextExt as _, TraceId, TracerProvider as _},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{
        BatchSpanProcessor, Sampler, SamplingDecision, SamplingResult, SdkTracerProvider,
        ShouldSample, Tracer,
    },
};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use self::outages::Outages;
use crate::settings::{Exported, Kept};

/// Where the collector takes traces.
const PATH: &str = "/v1/traces";

/// What spans are sent by, if any are.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Begins to send the spans that are made from now on, if any are to be sent. The error is for people.
///
/// It has its filter even if it is none: `tracing_subscriber` takes a layer that is not there for one
/// that is told of every span, and every span of the process would be made.
pub(super) fn layer<S>(
    exported: Option<&Exported>,
    instance: &InstanceId,
) -> Result<impl Layer<S> + use<S>, String>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = exported.map(|exported| sending(exported, instance)).transpose()?;
    let sends = layer.is_some();
    let wanted = filter_fn(move |it| sends && it.is_span() && it.target() == TARGET);
    Ok(layer.with_filter(wanted))
}

fn sending<S>(
    exported: &Exported,
    instance: &InstanceId,
) -> Result<OpenTelemetryLayer<S, Tracer>, String>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let headers = exported.headers.0.iter().cloned().collect();
    let sender = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}{PATH}", exported.endpoint))
        .with_timeout(exported.timeout)
        .with_headers(headers)
        .build()
        .map_err(|error| format!("traces cannot be sent: {error}"))?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource(exported, instance))
        .with_sampler(sampler(exported))
        .with_span_processor(BatchSpanProcessor::builder(Outages::of(sender)).build())
        .build();
    let tracer: Tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    // A process has one log and one of this.
    let _ = PROVIDER.set(provider);
    are_exported_here();
    Ok(OpenTelemetryLayer::new(tracer)
        .with_context_activation(false)
        .with_location(false)
        .with_threads(false)
        .with_level(false)
        .with_target(false)
        .with_tracked_inactivity(false))
}

/// Sends what waits to be sent, and no more after that.
pub(crate) async fn flush(patience: Duration) {
    let Some(provider) = PROVIDER.get() else { return };
    // It blocks, and may be on its way to a collector that does not answer.
    let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(patience));
    let _ = tokio::time::timeout(patience, flushed).await;
}

fn resource(exported: &Exported, instance: &InstanceId) -> Resource {
    let own = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance.to_string()),
    ];
    let given = exported.attributes.iter().cloned().map(|(name, value)| KeyValue::new(name, value));
    let attributes = own.into_iter().chain(given);
    Resource::builder()
        .with_attributes(attributes)
        .with_service_name(exported.service.clone())
        .build()
}

fn sampler(exported: &Exported) -> Begun {
    let kept = match exported.kept {
        Kept::All => Sampler::AlwaysOn,
        Kept::None => Sampler::AlwaysOff,
        Kept::Share(share) => Sampler::TraceIdRatioBased(share),
    };
    Begun(if exported.parent_based { Sampler::ParentBased(Box::new(kept)) } else { kept })
}

/// Decides on the traces of those who ask for something. What is done for them is kept with them, and
/// what this server does of itself, such as its heartbeats, not at all.
#[derive(Clone, Debug)]
struct Begun(Sampler);

impl ShouldSample for Begun {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        if *kind == SpanKind::Server {
            return self.0.should_sample(parent, trace, name, kind, attributes, links);
        }
        let parent = parent.map(|parent| parent.span().span_context().clone());
        let parent = parent.unwrap_or(SpanContext::NONE);
        let kept = parent.is_sampled();
        SamplingResult {
            decision: if kept { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
            attributes: Vec::new(),
            trace_state: parent.trace_state().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::SystemRandom;
    use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt as _};

    use super::*;
    use crate::metrics::Events;

    /// Otherwise every request pays for spans that nobody is told of.
    #[test]
    fn where_nobody_wants_a_span_it_is_not_made() {
        let instance = InstanceId::random("test", &SystemRandom);
        let registry = tracing_subscriber::registry()
            .with(layer(None, &instance).unwrap())
            .with(Events::layer(None))
            .with(fmt::layer().with_filter(LevelFilter::WARN));
        tracing::subscriber::with_default(registry, || {
            assert!(tracing::info_span!(target: TARGET, "message").is_disabled());
            assert!(tracing::info_span!("of a library").is_disabled());
            assert!(!tracing::warn_span!("of the log").is_disabled());
        });
    }
}
