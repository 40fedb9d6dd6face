//! What pages name of the command line: targets of `make`, commands, flags and variables.

use std::collections::{BTreeMap, BTreeSet};

use super::pages::{Page, pages};
use crate::{docs::read, support::binary};

/// The languages of what is typed into a terminal.
const SHELL: [&str; 2] = ["bash", "sh"];

/// Everything that pages show as typed: between backticks, and in blocks for a terminal.
fn typed(page: &Page) -> impl Iterator<Item = (usize, &str)> {
    page.spans().chain(page.code(&SHELL))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c))
        .filter(|word| !word.is_empty())
}

#[test]
fn every_target_of_make_is_there() {
    let makefile = read("Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', ' ', '#', '.']))
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect();
    let mut named = BTreeSet::new();
    for page in pages().values() {
        for (line, text) in typed(page) {
            for made in format!(" {text}").split(" make ").skip(1) {
                let target = words(made).next().unwrap_or_default();
                assert!(targets.contains(target), "{}:{line}: make {target}", page.path);
                named.insert(target.to_owned());
            }
        }
    }
    assert!(named.len() > 10, "{named:?}");
}

/// Each command and each flag that a page names is one that the binary reads.
#[test]
fn every_command_is_understood() {
    let mut tried = BTreeMap::new();
    for page in pages().values() {
        for (line, text) in typed(page) {
            for arguments in calls(text) {
                let place = format!("{}:{line}", page.path);
                tried.entry(arguments.join(" ")).or_insert(place);
            }
        }
    }
    assert!(tried.len() > 10, "{tried:?}");
    for (arguments, place) in tried {
        // The help is what is printed, and before that everything else is read.
        let output = binary().args(arguments.split_whitespace()).arg("--help").output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{place}: {arguments}: {told}");
    }
}

/// The arguments of each call of the binary in a text.
fn calls(text: &str) -> Vec<Vec<&str>> {
    let mut calls = Vec::new();
    for command in text.split(['|', ';', '&', '#', '(', ')', '<', '>']) {
        // Optional ones are in brackets.
        let words = command.split([' ', '[', ']', '"']).filter(|word| !word.is_empty());
        let mut before = "";
        // What stands in capitals is to be replaced, and behind a flag any text will do.
        let words = words.filter(|word| {
            let is_flags = std::mem::replace(&mut before, word).starts_with("--");
            is_flags || word.chars().any(|c| !c.is_ascii_uppercase())
        });
        let mut words = words.skip_while(|word| word.contains('=') || *word == "do");
        let program = words.next().unwrap_or_default();
        if program.rsplit('/').next() == Some("mcp-everything") {
            calls.push(words.collect());
        } else if program == "cargo" && words.next() == Some("run") {
            // Cargo's own are before the dashes, and an example is another program.
            let is_example =
                words.by_ref().take_while(|word| *word != "--").any(|w| w == "--example");
            let arguments: Vec<_> = words.collect();
            calls.extend((!is_example && !arguments.is_empty()).then_some(arguments));
        }
    }
    calls
}

/// Those of Docker and of `scratch/oauth.sh`.
const FLAGS_OF_OTHERS: [&str; 3] = ["--env-file", "--ulimit", "--token"];

/// Flags that are named alone are the binary's.
#[test]
fn every_flag_is_one() {
    let help = binary().arg("--help").output().unwrap();
    let login = binary().args(["login", "--help"]).output().unwrap();
    let help = String::from_utf8([help.stdout, login.stdout].concat()).unwrap();
    let ours = help.split(|c: char| !c.is_ascii_lowercase() && !"-_".contains(c));
    let known: BTreeSet<&str> = ours.chain(FLAGS_OF_OTHERS).collect();
    for page in pages().values() {
        for (line, span) in page.spans().filter(|(_, span)| span.starts_with("--")) {
            let flag = span.split([' ', '=']).next().unwrap_or_default();
            assert!(known.contains(flag), "{}:{line}: {flag}", page.path);
        }
    }
}

/// Names of the system's, of other programs, of this project's tests, and of the shell in examples.
const OF_OTHERS: [&str; 19] = [
    // What one mistakes BASE_URI for.
    "BASE_URL",
    "WRITE_PICTURES",
    "CN",
    "NODE_EXTRA_CA_CERTS",
    "TCP_NODELAY",
    "MCP_EVERYTHING",
    "SSL_CERT_FILE",
    "WRITE_FEATURES",
    "WRITE_TRACE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "BOB",
    "LAST",
    "META",
    "SECRET",
    "SESSION",
    "STATE",
    "TOKEN",
];

/// Each variable that pages set or name is a setting, or known to be another program's.
#[test]
fn every_variable_is_a_setting_or_anothers() {
    let settings = settings();
    let mut named = BTreeSet::new();
    for page in pages().values() {
        for (line, text) in typed(page) {
            for variable in variables(text) {
                let known = settings.contains(variable) || OF_OTHERS.contains(&variable);
                assert!(known, "{}:{line}: {variable}", page.path);
                named.insert(variable.to_owned());
            }
        }
    }
    assert!(named.len() > 30, "{named:?}");
}

/// The names of the settings.
pub(super) fn settings() -> BTreeSet<String> {
    let shown = binary().arg("check-config").output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    shown.lines().map(|line| line.split_once('=').unwrap().0.to_owned()).collect()
}

/// Names in capitals that have an underscore, or a value; one of a single letter is of `make`.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(is_name)?;
            let word = &rest[start..];
            let end = word.find(|c| !is_name(c)).unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            let before = rest[..start].chars().next_back();
            rest = after;
            let is_variable = word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
                && (word.trim_matches('_').contains('_') || after.starts_with('='))
                && word.len() > 1
                && !word.ends_with('_')
                && before != Some('-');
            if is_variable {
                return Some(word);
            }
        }
    })
}

#[test]
fn calls_and_variables_are_found_in_what_is_typed() {
    assert_eq!(calls("PORT=1 target/release/mcp-everything serve | tee x"), [["serve"]]);
    assert_eq!(calls("TOKEN=$(cargo run -q -- login --user a)"), [["login", "--user", "a"]]);
    assert_eq!(calls("cp target/release/mcp-everything /usr"), Vec::<Vec<String>>::new());
    let found: Vec<_> = variables("AB=b T=x REDIS_URL -X_Y `SIGTERM` $BASE_URI/x Ab_C").collect();
    assert_eq!(found, ["AB", "REDIS_URL", "BASE_URI"]);
}
