//! The table of settings in README.md.

use std::collections::BTreeMap;

use super::names;
use crate::{docs::read, support::binary};

/// The defaults by variable, as `--help` says them.
fn defaults() -> BTreeMap<String, String> {
    let help = binary().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut defaults = BTreeMap::new();
    // What is between a variable and the one before it is its help.
    let mut rest = help.as_str();
    while let Some((about, after)) = rest.split_once("[env: ") {
        let variable = after.split(['=', ']']).next().unwrap_or_default();
        let default = about.rsplit_once("[default: ").and_then(|(_, of)| of.split_once(']'));
        let default = default.map_or("none", |(default, _)| default);
        defaults.insert(variable.to_owned(), default.to_owned());
        rest = after;
    }
    defaults
}

/// Words that are values by themselves.
const WORDS: [&str; 8] = ["on", "off", "none", "auto", "integrated", "info", "json", "pretty"];

/// What of a default can be compared: numbers, addresses and names, without the words between.
fn values(default: &str) -> impl Iterator<Item = &str> {
    let value = default.split(", which").next().unwrap_or_default();
    let words = value.split([' ', ',', ';']).map(|word| word.trim_end_matches([':', '.']));
    words.filter(|word| word.contains(|c: char| c.is_ascii_digit()) || WORDS.contains(word))
}

/// Each setting is in one row of the table, with the default that the binary has.
#[test]
fn the_table_of_settings_has_every_default() {
    let readme = read("README.md");
    let table = readme.split("| variable | default | meaning |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").collect()).collect();
    let defaults = defaults();
    let settings = names::settings();
    assert!(settings.len() > 30 && settings.iter().eq(defaults.keys()), "{defaults:#?}");
    for variable in settings {
        let row: Vec<_> =
            rows.iter().filter(|row| row[0].contains(&format!("`{variable}`"))).collect();
        let [row] = row.as_slice() else {
            panic!("{variable} is in {} rows", row.len());
        };
        // Too long for a table; a page has them.
        if variable == "RATE_LIMITS" {
            continue;
        }
        for value in values(&defaults[&variable]) {
            assert!(row[1].contains(value), "{variable} is {value} by default, not {}", row[1]);
        }
    }
}

/// Rates are in a table of their own.
#[test]
fn the_table_of_rates_has_every_default() {
    let page = read("docs/rate-limits.md");
    let usual = defaults().remove("RATE_LIMITS").unwrap();
    assert!(usual.split(',').count() > 5, "{usual}");
    for limit in usual.split(',') {
        let (name, rate) = limit.trim().split_once('=').unwrap();
        let row = format!("\n| `{name}` | {rate} | ");
        assert!(page.contains(&row), "{limit} is not in docs/rate-limits.md");
    }
}

/// What `.env.example` sets although it is no default, to show how it is written.
const EXAMPLES: [&str; 3] = ["REDIS_URL", "REDIS_TLS", "LOG_FORMAT"];

#[test]
fn the_example_has_every_default() {
    let shown = binary().arg("check-config").output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let example = read(".env.example");
    for (variable, default) in shown.lines().map(|line| line.split_once('=').unwrap()) {
        let begin = format!("#{variable}=");
        let value = example.lines().find_map(|line| line.strip_prefix(&begin));
        let value = value.unwrap_or_else(|| panic!("{variable} is not in .env.example"));
        // Some come of other settings, and of some nothing is the default.
        let is_any = value.is_empty() || default.starts_with('(') || EXAMPLES.contains(&variable);
        assert!(is_any || value == default, "{variable} is {default} by default, not {value}");
    }
}
