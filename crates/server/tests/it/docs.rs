//! What the pages say of the code.

mod bounds;
mod endpoints;
mod links;
mod names;
mod pages;
mod reasons;
mod settings;
mod shell;
mod tables;
mod tutorial;

use std::{fs, path::Path};

use crate::support::binary;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// All Rust code of the workspace, tests included.
pub(crate) fn all_code() -> String {
    let mut all = String::new();
    code(&Path::new(ROOT).join("crates"), &mut all);
    all
}

fn code(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// That the tests are there that the last column of a page's tables names, in so many rows.
fn names_its_tests(page: &str, at_least: usize) {
    let page = read(page);
    let sources = all_code();
    let tables = page.split("| shown by |").skip(1);
    let rows =
        tables.flat_map(|table| table.lines().skip(2).take_while(|row| row.starts_with('|')));
    let rows: Vec<&str> = rows.collect();
    assert!(rows.len() >= at_least, "the tables were found");
    for row in rows {
        let shown = row.trim_end_matches('|').rsplit('|').next().unwrap();
        for test in shown.split('`').skip(1).step_by(2) {
            assert!(sources.contains(&format!("fn {test}(")), "there is no test {test}: {row}");
        }
    }
}

/// Each hazard of `docs/cluster.md` names the tests that show it closed.
#[test]
fn the_tests_that_the_cluster_page_names_are_there() {
    names_its_tests("docs/cluster.md", 40);
}

/// Each attack of `docs/security.md` names the tests that show it closed.
#[test]
fn the_tests_that_the_security_page_names_are_there() {
    names_its_tests("docs/security.md", 100);
}

/// What `docs/runbook.md` reckons with is measured or bounded by a test.
#[test]
fn the_tests_that_the_runbook_names_are_there() {
    names_its_tests("docs/runbook.md", 5);
}

/// Each client of `docs/clients.md` is of the version that is installed, and its tests are there.
#[test]
fn the_page_of_clients_is_of_those_that_are_tested() {
    names_its_tests("docs/clients.md", 28);
    let page = read("docs/clients.md");
    let packages: serde_json::Value = serde_json::from_str(&read("tools/package.json")).unwrap();
    let installed = ["sdk", "client", "inspector", "ext-apps"]
        .map(|name| format!("@modelcontextprotocol/{name}"));
    for name in installed.iter().map(String::as_str).chain(["mcp-remote"]) {
        let version = packages["dependencies"][name].as_str().unwrap();
        assert!(page.contains(&format!(" {version}")), "{name} is of version {version}");
    }
    for (list, name) in [("mcp-1", "mcp"), ("mcp-2", "mcp"), ("fastmcp", "fastmcp")] {
        let list = read(&format!("tools/python/{list}.txt"));
        let version = list.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("=="));
        let version = version.unwrap();
        assert!(page.contains(&format!(" {version}")), "{name} is of version {version}");
    }
}

/// Whoever takes the comment signs away has a file that is read.
#[test]
fn the_example_of_clients_is_right() {
    let example = Path::new(ROOT).join("deploy/clients.example.json");
    let checked = binary().arg("check-config").env("CLIENTS_FILE", example).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn the_example_is_right() {
    let home = tempfile::tempdir().unwrap();
    let example = read(".env.example");
    let set: Vec<_> = example.lines().filter_map(|line| line.strip_prefix('#')).collect();
    let set: Vec<_> = set.into_iter().filter(|line| !line.starts_with(' ')).collect();
    fs::write(home.path().join(".env"), set.join("\n")).unwrap();
    let output = binary().arg("check-config").current_dir(home.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8(output.stderr).unwrap());
    let shown = String::from_utf8(output.stdout).unwrap();
    for line in set.iter().filter(|line| !line.ends_with('=')) {
        let (variable, value) = line.split_once('=').unwrap();
        let is_it = |shown: &str| shown.split_once('=').is_some_and(|(name, _)| name == variable);
        let shown = shown.lines().find(|line| is_it(line)).unwrap();
        assert!(shown.contains(value), "{line} comes to {shown}");
    }
}
