//! How long something took: a histogram without a lock.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, TypedMetric},
};

use super::family::Cell;

/// The upper ends of the buckets, in seconds.
pub(crate) const BUCKETS: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// Durations by the bucket they fall into.
#[derive(Clone, Debug, Default)]
pub(crate) struct Durations(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The last is for what is longer than all of [`BUCKETS`].
    buckets: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub(crate) fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|end| seconds <= *end).unwrap_or(BUCKETS.len());
        self.0.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    fn counts(&self) -> impl Iterator<Item = u64> {
        self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed))
    }
}

impl Cell for Durations {
    fn is_untouched(&self) -> bool {
        self.counts().all(|count| count == 0)
    }

    fn sum<'a>(cells: impl Iterator<Item = &'a Self>) -> Self {
        let all = Self::default();
        for cell in cells {
            for (bucket, count) in all.0.buckets.iter().zip(cell.counts()) {
                bucket.fetch_add(count, Ordering::Relaxed);
            }
            let microseconds = cell.0.microseconds.load(Ordering::Relaxed);
            all.0.microseconds.fetch_add(microseconds, Ordering::Relaxed);
        }
        all
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let ends = BUCKETS.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = ends.zip(self.counts()).collect();
        // Of what is read here, and not of what comes meanwhile.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let microseconds = Duration::from_micros(self.0.microseconds.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(microseconds.as_secs_f64(), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::prometheus_text, registry::Registry};

    use super::*;

    #[test]
    fn each_falls_into_its_bucket() {
        let durations = Durations::default();
        assert!(durations.is_untouched());
        for milliseconds in [1, 2, 100, 120_000] {
            durations.observe(Duration::from_millis(milliseconds));
        }
        assert!(!durations.is_untouched());
        let mut registry = Registry::default();
        registry.register("took_seconds", "How long", durations);
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry).unwrap();
        for line in [
            "took_seconds_bucket{le=\"0.001\"} 1\n",
            "took_seconds_bucket{le=\"0.005\"} 2\n",
            "took_seconds_bucket{le=\"0.1\"} 3\n",
            "took_seconds_bucket{le=\"60\"} 3\n",
            "took_seconds_bucket{le=\"+Inf\"} 4\n",
            "took_seconds_sum 120.103\n",
            "took_seconds_count 4\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
