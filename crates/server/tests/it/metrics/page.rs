//! `docs/metrics.md` and what the server says are of one mind.

use std::collections::{BTreeMap, BTreeSet};

use super::text::Text;
use crate::support::{Deployment, rows::client};

const PAGE: &str = include_str!("../../../../../docs/metrics.md");

/// What the page says of a metric: its type and its labels.
type Said = (String, BTreeSet<String>);

fn listed() -> BTreeMap<String, Said> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, kind, labels, meaning] = cells[..] else { panic!("{row}") };
        assert!(!meaning.is_empty(), "{row}");
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (name.trim_matches('`').to_owned(), (kind.to_owned(), labels))
    });
    rows.collect()
}

/// A metric that is added to the code and not to the page fails here, and the other way around.
#[tokio::test]
async fn the_page_lists_every_metric() {
    let on = Deployment::one_on_redis();
    let server = on.start();
    client().get(server.url("/no/such/page")).send().await.unwrap();
    let text = Text::of(&server.url("/metrics")).await;
    let unknown = text.sum("mcp_http_requests_total", &[("route", "other"), ("status", "4xx")]);
    assert!(unknown > 0.5, "{text:?}");
    let mut told = BTreeMap::<String, Said>::new();
    for (name, kind) in &text.types {
        told.insert(name.clone(), (kind.clone(), BTreeSet::new()));
    }
    for sample in &text.samples {
        told.get_mut(&sample.metric).unwrap().1.extend(sample.labels.keys().cloned());
    }
    assert_eq!(told, listed());
    for name in text.types.keys() {
        let sampled = text.samples.iter().any(|sample| sample.metric == *name);
        assert!(sampled, "{name} was not brought about, and nothing is known of its labels");
    }
}
