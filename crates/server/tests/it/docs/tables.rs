//! Tables are shown as tables.

use super::pages::pages;

/// Each run of rows has a header, a line of dashes, and as many cells in each row.
#[test]
fn every_table_is_whole() {
    let mut tables = 0;
    for page in pages().values() {
        let mut rows = page.prose.iter().filter(|(_, line)| line.starts_with('|')).peekable();
        while let Some((first, header)) = rows.next() {
            let (place, columns) = (format!("{}:{first}", page.path), cells(header));
            let mut below = first + 1;
            while let Some((line, row)) = rows.next_if(|(line, _)| *line == below) {
                let is_rule = row.chars().all(|c| "|-: ".contains(c)) && row.contains("---");
                assert_eq!(is_rule, *line == first + 1, "{place}: the second row is the rule");
                assert_eq!(cells(row), columns, "{}:{line}: cells", page.path);
                below += 1;
            }
            assert!(below > first + 2, "{place}: rows without a header");
            tables += 1;
        }
    }
    assert!(tables > 60, "the tables were found");
}

/// A `|` counts wherever it is, but for one with a backslash before it.
fn cells(row: &str) -> usize {
    row.replace("\\|", "").matches('|').count()
}
