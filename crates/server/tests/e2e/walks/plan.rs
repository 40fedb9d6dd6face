//! What a client is to do: the table of `walks/table.json`, and where.

use serde_json::{Value, json};

use super::{SCRIPTS, Wire, page::Known};

pub(super) struct Plan {
    pub(super) table: Value,
    whole: Value,
    few: bool,
}

/// What there are a hundred of.
const MANY: &str = "test://static/resource/";
const FIRST_OF_MANY: &str = "test://static/resource/1";

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
        Self { table, whole, few: false }
    }

    /// How the client starts the server.
    pub(super) fn started_by(mut self, command: [&str; 2]) -> Self {
        self.whole["command"] = json!(command);
        self
    }

    /// Of resources of one kind the client reads the first only: each costs it a process.
    pub(super) fn with_few(mut self) -> Self {
        self.few = true;
        self
    }

    /// Each thing that the client does has a server of its own: what one makes is not there for the
    /// next.
    pub(super) fn forgetting(mut self) -> Self {
        for (kind, made) in [
            ("tools", "dynamicTool"),
            ("prompts", "dynamic_prompt"),
            ("resources", "demo://resource/session/walk.gz"),
        ] {
            let table = self.table[kind].as_object_mut();
            assert!(table.is_some_and(|table| table.remove(made).is_some()), "{made}");
        }
        self
    }

    /// Whether this resource is to be read.
    pub(super) fn is_read(&self, uri: &str) -> bool {
        !self.few || !uri.starts_with(MANY) || uri == FIRST_OF_MANY
    }

    /// Whether the client and its wire have this feature.
    pub(super) fn can(&self, feature: &str) -> bool {
        self.whole["cannot"].as_array().is_some_and(|cannot| !cannot.contains(&json!(feature)))
    }

    /// The notifications that say that a list has changed.
    pub(super) fn changes(&self) -> Vec<&str> {
        self.table["changes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// As the scripts read it.
    pub(super) fn json(&self) -> String {
        self.whole.to_string()
    }
}
