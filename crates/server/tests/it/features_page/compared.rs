//! The part of the page that is written by hand: this server beside others.

use crate::docs::all_code;

/// That each row says yes, in part, or no; why not, where it does not say yes; and that what it
/// names to show it is there.
pub(super) fn is_true(by_hand: &str, listed: &str) {
    let (_, table) = by_hand.split_once("| feature | here | shown by |").expect("the table");
    let rows: Vec<_> = table.lines().skip(2).take_while(|row| row.starts_with('|')).collect();
    assert!(rows.len() >= 70, "the table was found");
    let sources = all_code();
    let is_there = |name: &str| {
        sources.contains(&format!("fn {name}(")) || listed.contains(&format!("`{name}`"))
    };
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, here, shown, ..] = cells[..] else { panic!("{row}") };
        let names: Vec<_> = shown.split('`').skip(1).step_by(2).collect();
        for name in &names {
            assert!(is_there(name), "there is no {name}: {row}");
        }
        match here.split_once(": ") {
            None => assert!(here == "yes" && !names.is_empty(), "{row}"),
            Some(("in part", why)) => assert!(!why.is_empty() && !names.is_empty(), "{row}"),
            Some(("no", why)) => assert!(!why.is_empty(), "{row}"),
            Some(_) => panic!("{row}"),
        }
    }
}
