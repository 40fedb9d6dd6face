//! What `docs/clients.md` says of a client.

use std::collections::BTreeSet;

use super::ROOT;

/// The row whose last cell names the test.
pub(super) struct Known {
    /// The features that it cannot show.
    pub(super) cannot: BTreeSet<String>,
}

impl Known {
    pub(super) fn of(test: &str) -> Self {
        let page = std::fs::read_to_string(format!("{ROOT}/docs/clients.md")).unwrap();
        let row = page.lines().find(|line| line.contains(&format!("| `{test}` |")));
        let row = cells(row.unwrap_or_else(|| panic!("docs/clients.md does not know {test}")));
        let [client, _, _, cannot, _] = row[..] else { panic!("a row has five cells: {row:?}") };
        let cannot = match cannot {
            "nothing" => BTreeSet::new(),
            some => some.split(", ").map(str::to_owned).collect(),
        };
        let reasons: Vec<_> = page.split("| cannot | who | because |").skip(1).collect();
        let reasons = reasons.concat();
        for feature in &cannot {
            let said = reasons.lines().any(|line| {
                let row = cells(line);
                row.len() == 3 && row[0] == feature && row[1].split(", ").any(|who| who == client)
            });
            assert!(said, "docs/clients.md does not say why {client} cannot: {feature}");
        }
        Self { cannot }
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}
