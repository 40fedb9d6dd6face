//! The text of the metrics, read strictly.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::support::{rows::client, soon};

/// What a server says.
#[derive(Debug, Default)]
pub(crate) struct Text {
    /// The type of each metric, by its name.
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug)]
pub(crate) struct Sample {
    /// Without `_bucket`, `_sum` or `_count` where it is of a histogram.
    pub(crate) metric: String,
    pub(crate) name: String,
    /// Without `le`.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Text {
    /// Of a server whose metrics anybody here may read.
    pub(crate) async fn of(url: &str) -> Self {
        Self::read(&client().get(url).send().await.unwrap().text().await.unwrap())
    }

    /// As soon as it says this.
    pub(crate) async fn until(url: &str, says: impl Fn(&Self) -> bool) -> Self {
        let said = async {
            loop {
                let text = Self::of(url).await;
                if says(&text) {
                    return text;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        soon(said).await
    }

    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has an end");
        let mut read = Self::default();
        let mut described = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(described.insert(name.to_owned()), "{name} is described once");
                assert!(!help.trim().is_empty(), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(described.contains(name), "{name} has no HELP");
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
                read.types.insert(name.to_owned(), kind.to_owned());
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(seen.insert(series.to_owned()), "{series} comes once");
                read.samples.push(read.sample(series, value));
            }
        }
        read
    }

    fn sample(&self, series: &str, value: &str) -> Sample {
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(name.chars().all(is_name), "{series}");
        let parts = ["_bucket", "_sum", "_count"].into_iter();
        let of_histogram = parts.filter_map(|part| name.strip_suffix(part));
        let metric = of_histogram
            .filter(|metric| self.types.get(*metric).is_some_and(|kind| kind == "histogram"))
            .chain([name])
            .next()
            .unwrap();
        assert!(self.types.contains_key(metric), "{series} has no TYPE before it");
        let labels = labels.strip_suffix('}').unwrap();
        let pairs = labels.split(',').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            assert!(!value.contains(['"', '\\']), "{series}");
            (name.to_owned(), value.to_owned())
        });
        Sample {
            metric: metric.to_owned(),
            name: name.to_owned(),
            labels: pairs.filter(|(name, _)| name != "le").collect(),
            value: value.parse().unwrap(),
        }
    }

    /// The sum of what is said under this name, of the series that have these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            labels.iter().all(|(name, value)| sample.labels.get(*name).is_some_and(|v| v == value))
        };
        let named = self.samples.iter().filter(|sample| sample.name == name);
        named.filter(has).map(|sample| sample.value).sum()
    }
}
