//! An exporter that says once when its collector is away, and once when it is back.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};

#[derive(Debug)]
pub(super) struct Outages<E> {
    inner: E,
    /// The spans that were lost since the last one that was not.
    lost: AtomicU64,
}

impl<E> Outages<E> {
    pub(super) fn of(inner: E) -> Self {
        Self { inner, lost: AtomicU64::new(0) }
    }

    fn tell(&self, result: &OTelSdkResult, spans: u64) {
        match result {
            Ok(()) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::info!(event = "traces.sent", lost, "traces are taken again");
                }
            }
            Err(error) => {
                if self.lost.fetch_add(spans, Ordering::Relaxed) == 0 {
                    let error = told(error);
                    tracing::warn!(
                        event = "traces.lost",
                        error,
                        "the collector does not take traces; they are lost until it does"
                    );
                }
            }
        }
    }
}

/// Without what the collector said itself.
fn told(error: &OTelSdkError) -> String {
    let text = error.to_string();
    text.chars().take(300).collect()
}

impl<E: SpanExporter> SpanExporter for Outages<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter_mut().for_each(name_the_operation);
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let result = self.inner.export(batch).await;
        self.tell(&result, spans);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// What a store is asked is what the span is called ("Semantic conventions for database calls").
fn name_the_operation(span: &mut SpanData) {
    if span.attributes.iter().any(|attribute| attribute.key.as_str() == "db.system.name") {
        span.attributes.push(KeyValue::new("db.operation.name", span.name.to_string()));
    }
}
