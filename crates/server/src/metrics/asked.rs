//! What is not counted here: whoever knows it is asked when somebody looks.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

type Source = Box<dyn Fn() -> u64 + Send + Sync>;

/// A metric whose value somebody else knows; with a label, one for each of its values.
#[derive(Clone)]
pub(crate) struct Asked(Arc<Inner>);

struct Inner {
    kind: Kind,
    label: Option<&'static str>,
    sources: Mutex<Vec<(&'static str, Vec<Source>)>>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Gauge,
    Counter,
}

impl Asked {
    /// What goes up and down.
    pub(super) fn gauge(label: Option<&'static str>) -> Self {
        Self::of(Kind::Gauge, label)
    }

    /// What only goes up.
    pub(super) fn counter(label: Option<&'static str>) -> Self {
        Self::of(Kind::Counter, label)
    }

    fn of(kind: Kind, label: Option<&'static str>) -> Self {
        Self(Arc::new(Inner { kind, label, sources: Mutex::default() }))
    }

    /// Asks `source` from now on; `value` is that of the label. Several of one value are added up.
    pub(crate) fn ask(
        &self,
        value: &'static str,
        source: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let mut sources = self.0.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let source: Source = Box::new(source);
        match sources.iter_mut().find(|(known, _)| *known == value) {
            Some((_, several)) => several.push(source),
            None => sources.push((value, vec![source])),
        }
    }

    /// Asks `source` from now on, where there is no label.
    pub(crate) fn ask_for(&self, source: impl Fn() -> u64 + Send + Sync + 'static) {
        self.ask("", source);
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("label", &self.0.label).finish_non_exhaustive()
    }
}

impl Kind {
    fn encode(self, mut encoder: MetricEncoder<'_>, value: u64) -> fmt::Result {
        match self {
            Self::Gauge => encoder.encode_gauge(&value),
            Self::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
        }
    }
}

fn sum(sources: &[Source]) -> u64 {
    sources.iter().map(|source| source()).sum()
}

impl EncodeMetric for Asked {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let Inner { kind, label, sources } = &*self.0;
        let sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(label) = label else {
            return sources
                .first()
                .map_or(Ok(()), |(_, several)| kind.encode(encoder, sum(several)));
        };
        for (value, several) in &*sources {
            kind.encode(encoder.encode_family(&[(*label, *value)])?, sum(several))?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        match self.0.kind {
            Kind::Gauge => MetricType::Gauge,
            Kind::Counter => MetricType::Counter,
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::prometheus_text, registry::Registry};

    use super::*;

    #[test]
    fn whoever_knows_is_asked_each_time() {
        let (one, many) = (Asked::gauge(None), Asked::counter(Some("kind")));
        let mut registry = Registry::default();
        registry.register("one", "One", one.clone());
        registry.register("many", "Many", many.clone());
        let text = || {
            let mut text = String::new();
            prometheus_text::encode(&mut text, &registry).unwrap();
            text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(), "", "nobody knows");
        let count = Arc::new(std::sync::atomic::AtomicU64::new(1));
        one.ask_for({
            let count = Arc::clone(&count);
            move || count.load(std::sync::atomic::Ordering::Relaxed)
        });
        for (kind, value) in [("a", 2), ("b", 3), ("a", 4)] {
            many.ask(kind, move || value);
        }
        assert_eq!(text(), r#"one 1 many_total{kind="a"} 6 many_total{kind="b"} 3"#);
        count.store(7, std::sync::atomic::Ordering::Relaxed);
        assert!(text().starts_with("one 7 "));
    }
}
