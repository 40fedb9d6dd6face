//! Whether what a client said of its walk is what the table expects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Wire, page::Known, plan::Plan};

/// All that a client can show, by the names of `docs/clients.md`.
const FEATURES: [&str; 17] = [
    "tools",
    "prompts",
    "resources",
    "templates",
    "completions",
    "sampling",
    "sampling with tools",
    "forms",
    "pages",
    "roots",
    "progress",
    "cancellation",
    "updates",
    "log messages",
    "list changes",
    "resumption",
    "tasks",
];

/// That what a client said, line by line, is as the table says, and that it did all but what it is
/// known not to be able to do.
pub(super) fn is_right(lines: Vec<Value>, plan: &Plan, known: &Known, wire: &Wire) {
    Walked { lines, plan, known, wire }.is_right();
}

struct Walked<'a> {
    lines: Vec<Value>,
    plan: &'a Plan,
    known: &'a Known,
    wire: &'a Wire,
}

impl Walked<'_> {
    fn is_right(&self) {
        let mut wrong = Vec::new();
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        for (feature, found) in [
            ("tools", self.tools()),
            ("prompts", self.results("prompts", "prompts", "got")),
            ("resources", self.resources()),
            ("templates", self.templates()),
            ("completions", self.completions()),
        ] {
            match found {
                None => {}
                Some(faults) => {
                    shown.insert(feature);
                    wrong.extend(faults.into_iter().map(|fault| format!("{feature}: {fault}")));
                }
            }
        }
        shown.extend(self.lines.iter().filter_map(asked));
        shown.extend(self.lines.iter().filter_map(|line| self.done(line)));
        let cannot = self.known.cannot.iter().map(String::as_str);
        let cannot: BTreeSet<_> = cannot.chain(self.wire.lacks.iter().copied()).collect();
        for feature in FEATURES {
            match (shown.contains(feature), cannot.contains(feature)) {
                (false, false) => wrong.push(format!("it did not show: {feature}")),
                (true, true) => wrong.push(format!("it is said not to show this: {feature}")),
                _ => {}
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// The feature that a line shows by itself.
    fn done(&self, line: &Value) -> Option<&'static str> {
        match line["did"].as_str()? {
            "cancelled" => Some("cancellation"),
            "broke" => Some("resumption"),
            "task" => Some("tasks"),
            "called" if line["result"]["progress"].as_u64() > Some(0) => Some("progress"),
            "heard" => match line["method"].as_str()? {
                "notifications/message" => Some("log messages"),
                "notifications/resources/updated" => Some("updates"),
                method if self.plan.changes().contains(&method) => Some("list changes"),
                _ => None,
            },
            _ => None,
        }
    }

    /// The faults of the tools; `None` if none was called.
    fn tools(&self) -> Option<Vec<String>> {
        let mut faults = self.results("tools", "tools", "called")?;
        let mut questions = BTreeSet::new();
        for line in &self.lines {
            if let Some(question) = asked(line) {
                questions.insert(question);
            } else if line["did"] == "called" {
                let name = line["name"].as_str().unwrap();
                let expected = self.plan.table["tools"][name]["asks"].as_str();
                if let Some(question) = expected.filter(|question| !questions.contains(question))
                    && self.plan.can(question)
                {
                    faults.push(format!("{name} does not ask for {question}"));
                }
                questions.clear();
            }
        }
        let whoami = self.lines.iter().find(|line| line["name"] == "whoami");
        let revision = whoami.map(|line| &line["result"]["structuredContent"]["protocolVersion"]);
        if revision.is_some_and(|revision| *revision != self.wire.revision) {
            faults.push(format!("the revision is {revision:?}"));
        }
        Some(faults)
    }

    /// The faults of what is used by name: that all of the table and nothing else is listed, and
    /// how each came out.
    fn results(&self, kind: &str, what: &str, did: &str) -> Option<Vec<String>> {
        let table = self.table(kind);
        let listed: BTreeSet<_> = self.listed(what)?.into_iter().collect();
        let mut faults = Vec::new();
        for name in listed.iter().filter(|name| !table.contains_key(**name)) {
            faults.push(format!("{name} is listed, and not in the table"));
        }
        for (name, expected) in table {
            let mut lines =
                self.lines.iter().filter(|line| line["did"] == did && line["name"] == **name);
            match lines.next() {
                Some(line) => faults.extend(self.fault(name, line, expected)),
                None => faults.push(format!("{name} was not used")),
            }
        }
        Some(faults)
    }

    fn resources(&self) -> Option<Vec<String>> {
        let mut faults = Vec::new();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let table = self.table("resources");
        for uri in self.listed("resources")? {
            let of = table.keys().find(|key| match key.strip_suffix('*') {
                Some(beginning) => uri.starts_with(beginning),
                None => *key == uri,
            });
            match of {
                Some(of) => *counts.entry(of).or_default() += 1,
                None => faults.push(format!("{uri} is listed, and not in the table")),
            }
            if self.plan.is_read(uri) {
                faults.extend(self.read(uri, &Value::Null));
            }
        }
        for (of, expected) in table {
            let count = counts.get(of.as_str()).copied().unwrap_or_default();
            if count != expected["of"].as_u64().unwrap_or(1) {
                faults.push(format!("{count} are listed of {of}"));
            }
        }
        Some(faults)
    }

    fn templates(&self) -> Option<Vec<String>> {
        let listed = self.listed("resourceTemplates")?;
        let table = self.table("templates");
        let unknown = listed.iter().filter(|uri| !table.contains_key(**uri));
        let mut faults: Vec<_> = unknown.map(|uri| format!("{uri} is not in the table")).collect();
        for expected in table.values() {
            faults.extend(self.read(expected["uri"].as_str().unwrap(), expected));
        }
        Some(faults)
    }

    fn read(&self, uri: &str, expected: &Value) -> Option<String> {
        let line = self.lines.iter().find(|line| line["did"] == "read" && line["uri"] == uri);
        let Some(line) = line else { return Some(format!("{uri} was not read")) };
        let contents = &line["result"]["contents"][0];
        if contents["uri"] != uri || (contents["text"].is_null() && contents["blob"].is_null()) {
            return Some(format!("{uri}: {line}"));
        }
        self.fault(uri, line, expected)
    }

    fn completions(&self) -> Option<Vec<String>> {
        let completed: Vec<_> =
            self.lines.iter().filter(|line| line["did"] == "completed").collect();
        if completed.is_empty() {
            return None;
        }
        let mut faults = Vec::new();
        for (kind, key) in [("prompts", "name"), ("templates", "uri")] {
            for (of, expected) in self.table(kind) {
                for (name, each) in expected["complete"].as_object().into_iter().flatten() {
                    let line = completed.iter().find(|line| {
                        line["ref"][key] == **of && line["argument"]["name"] == **name
                    });
                    let values = line.map(|line| &line["result"]["completion"]["values"]);
                    let values = values.and_then(Value::as_array);
                    if !values.is_some_and(|values| values.contains(&each["has"])) {
                        faults.push(format!("{of} {name}: {line:?}"));
                    }
                }
            }
        }
        Some(faults)
    }

    /// What is wrong with the result of something.
    fn fault(&self, name: &str, line: &Value, expected: &Value) -> Option<String> {
        let result = &line["result"];
        let failed = !line["error"].is_null() || result["isError"] == true;
        let texts = texts(result);
        if expected["session"] == true && self.wire.era == "modern" {
            return (!failed).then(|| format!("{name} does without a session: {line}"));
        }
        let unasked = expected["asks"].as_str().is_some_and(|question| !self.plan.can(question));
        if unasked && expected["alone"] != true {
            let otherwise = expected["otherwise"].as_str();
            let said = otherwise.is_some_and(|said| texts.iter().any(|text| text.contains(said)));
            return (!failed && !said).then(|| format!("{name} does without: {line}"));
        }
        let strings = |key: &str| expected[key].as_array().into_iter().flatten();
        let says = strings("says").all(|part| {
            let part = part.as_str().unwrap();
            texts.iter().any(|text| text.contains(part))
        });
        let content = expected["content"].as_array().is_none_or(|kinds| {
            let found = result["content"].as_array().into_iter().flatten();
            found.map(|content| &content["type"]).eq(kinds)
        });
        let structured = strings("structured")
            .all(|key| !result["structuredContent"][key.as_str().unwrap()].is_null());
        let progress = result["progress"].as_u64() >= expected["progress"].as_u64()
            || self.known.cannot.contains("progress");
        let right = !failed && says && content && structured && progress;
        let line = line.to_string();
        (!right).then(|| format!("{name}: {}", line.get(..600).unwrap_or(&line)))
    }

    /// What a list named, each time together.
    fn listed(&self, what: &str) -> Option<Vec<&str>> {
        let lines =
            self.lines.iter().filter(|line| line["did"] == "listed" && line["what"] == what);
        let names: Vec<_> = lines
            .flat_map(|line| line["names"].as_array().unwrap())
            .map(|name| name.as_str().unwrap())
            .collect();
        (!names.is_empty()).then_some(names)
    }

    fn table(&self, kind: &str) -> &Map<String, Value> {
        self.plan.table[kind].as_object().unwrap()
    }
}

/// The feature that a question of the server's shows.
fn asked(line: &Value) -> Option<&'static str> {
    match line["method"].as_str().filter(|_| line["did"] == "asked")? {
        "sampling/createMessage" if line["params"]["tools"].is_array() => {
            Some("sampling with tools")
        }
        "sampling/createMessage" => Some("sampling"),
        "elicitation/create" if line["params"]["mode"] == "url" => Some("pages"),
        "elicitation/create" => Some("forms"),
        "roots/list" => Some("roots"),
        _ => None,
    }
}

/// Every string in it.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
