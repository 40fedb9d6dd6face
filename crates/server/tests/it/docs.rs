//! What the pages say of the code.

use std::{fs, path::Path};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// All Rust code of the workspace, tests included.
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

/// Each hazard of `docs/cluster.md` names the tests that show it closed.
#[test]
fn the_tests_that_the_cluster_page_names_are_there() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/cluster.md")).unwrap();
    let (_, table) = page.split_once("| shown by |").unwrap();
    let mut sources = String::new();
    code(&Path::new(ROOT).join("crates"), &mut sources);
    let rows: Vec<&str> = table.lines().skip(2).take_while(|row| row.starts_with('|')).collect();
    assert!(rows.len() > 40, "the table was found");
    for row in rows {
        let shown = row.trim_end_matches('|').rsplit('|').next().unwrap();
        for test in shown.split('`').skip(1).step_by(2) {
            assert!(sources.contains(&format!("fn {test}(")), "there is no test {test}: {row}");
        }
    }
}
