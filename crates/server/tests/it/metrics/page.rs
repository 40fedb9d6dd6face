//! `docs/metrics.md` and what the server says are of one mind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::text::Text;
use crate::support::{Deployment, Mcp, rows::client};

const PAGE: &str = include_str!("../../../../../docs/metrics.md");

/// What the page says of a metric: its type and its labels.
type Said = (String, BTreeSet<String>);

fn listed() -> BTreeMap<String, Said> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
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
    let user = Mcp::of(&server, "alice").await;
    user.is_served().await;
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
    // Of what is kept in memory, and is not here.
    let elsewhere = ["mcp_sessions_live"];
    for name in text.types.keys() {
        let sampled = text.samples.iter().any(|sample| sample.metric == *name);
        assert!(
            sampled || elsewhere.contains(&&**name),
            "{name} was not brought about, and nothing is known of its labels"
        );
    }
}

/// The expressions of the dashboard, and those of the alerts.
fn shown() -> (String, String) {
    const DASHBOARD: &str =
        include_str!("../../../../../deploy/observability/grafana/dashboards/mcp-everything.json");
    const RULES: &str = include_str!("../../../../../deploy/observability/rules.yml");
    fn expressions(value: &Value, into: &mut String) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if ["expr", "definition"].contains(&&**name) => {
                            *into += text;
                            into.push('\n');
                        }
                        value => expressions(value, into),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| expressions(item, into)),
            _ => {}
        }
    }
    let mut dashboard = String::new();
    expressions(&serde_json::from_str(DASHBOARD).unwrap(), &mut dashboard);
    (dashboard, RULES.to_owned())
}

/// The metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let own = words.filter(|word| word.starts_with("mcp_") || word.starts_with("process_"));
    let listed = listed();
    let metric = |word: &str| {
        let histogram = ["_bucket", "_sum", "_count"].iter();
        let histogram = histogram.filter_map(|part| word.strip_suffix(part));
        let mut histogram = histogram.filter(|name| listed.contains_key(*name));
        histogram.next().unwrap_or(word).to_owned()
    };
    own.map(metric).collect()
}

/// A panel or an alert of a metric that is not there would never say anything.
#[test]
fn what_operators_see_is_there() {
    let (dashboard, rules) = shown();
    let listed: BTreeSet<_> = listed().into_keys().collect();
    let (seen, watched) = (named(&dashboard), named(&rules));
    assert_eq!(seen.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(watched.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(listed.difference(&seen).collect::<Vec<_>>(), Vec::<&String>::new());
    // Events are known by their names.
    let events = [&dashboard, &rules].into_iter().flat_map(|text| text.split("event=").skip(1));
    let events = events.flat_map(|rest| rest.split('"').nth(1).unwrap().split('|'));
    let mut count = 0;
    for event in events {
        assert!(super::events().contains(event), "{event} is no event that is counted");
        count += 1;
    }
    assert!(count > 20, "they were found");
}

/// What an alert leads to.
#[test]
fn each_alert_has_its_section_in_the_runbook() {
    const RUNBOOK: &str = include_str!("../../../../../docs/runbook.md");
    let (_, rules) = shown();
    let alerts = rules.matches("- alert: ").count();
    let sections = rules.split("runbook_url: docs/runbook.md#").skip(1);
    let sections: BTreeSet<_> = sections.map(|rest| rest.lines().next().unwrap()).collect();
    assert_eq!((alerts, sections.len()), (6, 6), "each has one of its own");
    for section in sections {
        assert!(RUNBOOK.lines().any(|line| line == format!("### {section}")), "{section}");
    }
}
