//! Words that stay the same, by which a log is searched.

use std::collections::BTreeSet;

use crate::{docs::read, support::sources};

/// The code between `begin` and the brace that ends it.
fn body(begin: &str) -> String {
    let sources = sources();
    let source = sources.iter().find(|source| source.contains(begin));
    let (before, rest) = source.expect(begin).split_once(begin).unwrap();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let indentation = line.len() - line.trim_start().len();
    let end = format!("\n{}}}", " ".repeat(indentation));
    rest.split(&end).next().unwrap_or_default().to_owned()
}

/// The texts in quotes.
fn texts(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').skip(1).step_by(2)
}

/// The words in the first column of a table of docs/logging.md, behind its heading.
fn listed(heading: &str) -> BTreeSet<String> {
    let page = read("docs/logging.md");
    let begin = format!("\n### {heading}\n");
    let table = page.split(&begin).nth(1).expect(heading);
    let rows = table.split("\n#").next().unwrap_or_default().lines();
    let first_cells = rows.filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    first_cells.flat_map(|cell| cell.split('`').step_by(2)).map(str::to_owned).collect()
}

#[track_caller]
fn the_page_has(heading: &str, words: BTreeSet<&str>, at_least: usize) {
    assert!(words.len() >= at_least, "{words:?}");
    let words: BTreeSet<String> = words.into_iter().map(str::to_owned).collect();
    assert_eq!(listed(heading), words, "{heading}");
}

#[test]
fn why_an_instance_is_not_ready() {
    let code = body("fn against(&self) -> Option<&'static str> {");
    the_page_has("`/readyz`", texts(&code).collect(), 3);
}

#[test]
fn why_a_token_is_rejected() {
    let flaws = body("impl Flaw {");
    let door = body("let (reason, response) = match self {");
    // What the client is told is a sentence.
    let door = texts(&door).filter(|text| !text.starts_with("the "));
    let words = texts(&flaws).chain(door).chain(["not checked"]).collect();
    the_page_has("`auth.token.rejected`", words, 15);
}

#[test]
fn why_a_document_is_refused() {
    let fetched = body("    pub const fn reason(&self) -> &'static str {");
    let document = body("pub(crate) const fn reason(&self) -> &'static str {");
    let words = texts(&fetched).chain(texts(&document)).collect();
    the_page_has("`auth.client.document_refused` and `fetch.refused`", words, 15);
}
