//! What a client is to do: the table of `walks/table.json`, and where.

use serde_json::{Value, json};

use super::{SCRIPTS, Wire, page::Known};

pub(super) struct Plan {
    pub(super) table: Value,
    whole: Value,
}

impl Plan {
    pub(super) fn new(wire: &Wire, known: &Known, url: &str, token: &str) -> Self {
        let table = std::fs::read_to_string(format!("{SCRIPTS}/table.json")).unwrap();
        let table: Value = serde_json::from_str(&table).unwrap();
        let cannot: Vec<_> =
            known.cannot.iter().map(String::as_str).chain(wire.lacks.iter().copied()).collect();
        let whole = json!({
            "kind": wire.kind, "era": wire.era, "url": url, "token": token,
            "cannot": cannot, "table": table,
        });
        Self { table, whole }
    }

    /// As the scripts read it.
    pub(super) fn json(&self) -> String {
        self.whole.to_string()
    }
}
