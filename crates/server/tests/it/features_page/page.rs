//! The part of the page that is not written by hand.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::Value;

use super::seen::{Seen, text};

/// The hints of a tool, as the protocol names them, and what is said of a tool that has one.
const HINTS: [(&str, &str); 4] = [
    ("readOnlyHint", "read-only"),
    ("destructiveHint", "destructive"),
    ("idempotentHint", "idempotent"),
    ("openWorldHint", "open world"),
];

/// One of the lists.
type List = fn(&Seen) -> &[Value];

pub(super) fn write(seen: &[Seen]) -> String {
    let mut page = String::from(
        "# Features\n\nWhat the server lists and answers, asked of a running one that has no \
         settings. A test writes this page and compares it\nwith what it is told: `WRITE_FEATURES=1 \
         make test T=the_page_of_features`.\n",
    );
    answered(&mut page, seen);
    // The revision that the lists are shown of. What others have besides is in the tables after it.
    let shown = seen.iter().find(|seen| seen.wire == "2025-11-25").expect("it is asked");
    tools(&mut page, shown);
    listed_elsewhere(&mut page, "tools", "name", shown, seen, |seen| &seen.tools);
    prompts(&mut page, shown);
    listed_elsewhere(&mut page, "prompts", "name", shown, seen, |seen| &seen.prompts);
    resources(&mut page, shown);
    listed_elsewhere(&mut page, "resources", "uri", shown, seen, |seen| &seen.resources);
    fields(&mut page, seen);
    completions(&mut page, shown);
    page
}

/// Capabilities and methods, by revision.
fn answered(page: &mut String, seen: &[Seen]) {
    let names: Vec<_> = seen.iter().map(|seen| seen.wire).collect();
    let info = &seen[0].server["serverInfo"];
    let _ = writeln!(
        page,
        "\nThe server is `{}`, \"{}\". Columns are revisions over Streamable HTTP; HTTP with SSE is \
         2024-11-05, and stdio\n2025-11-25.\n\n## Capabilities\n",
        text(&info["name"]),
        text(&info["title"]),
    );
    row(page, "capability", &names);
    rule(page, names.len() + 1);
    let capabilities: Vec<BTreeSet<String>> = seen
        .iter()
        .map(|seen| {
            let mut paths = BTreeSet::new();
            leaves("", &seen.server["capabilities"], &mut paths);
            if !seen.server["instructions"].is_null() {
                paths.insert("instructions".to_owned());
            }
            paths
        })
        .collect();
    let all: BTreeSet<_> = capabilities.iter().flatten().collect();
    for name in all {
        let cells = capabilities.iter().map(|has| mark(has.contains(name)));
        row(page, &format!("`{name}`"), &cells.collect::<Vec<_>>());
    }
    page.push_str("\n## Methods\n\nWhat is not answered is `-32601`.\n\n");
    row(page, "method", &names);
    rule(page, names.len() + 1);
    for (index, (method, _)) in seen[0].methods.iter().enumerate() {
        let cells = seen.iter().map(|seen| mark(seen.methods[index].1));
        row(page, &format!("`{method}`"), &cells.collect::<Vec<_>>());
    }
}

/// The paths of all that is in it: `resources.subscribe`.
fn leaves(path: &str, value: &Value, into: &mut BTreeSet<String>) {
    let members = value.as_object().filter(|members| !members.is_empty());
    let Some(members) = members else {
        into.insert(path.to_owned());
        return;
    };
    for (name, value) in members {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        leaves(&path, value, into);
    }
}

fn tools(page: &mut String, seen: &Seen) {
    let _ = writeln!(page, "\n## Tools\n\n{} of them.\n", seen.tools.len());
    row(page, "tool", &["title", "description", "hints", "output schema", "icons", "task"]);
    rule(page, 7);
    for tool in &seen.tools {
        let hints = HINTS.iter().filter(|(hint, _)| tool["annotations"][hint] == true);
        let hints: Vec<_> = hints.map(|(_, said)| *said).collect();
        let task = text(&tool["execution"]["taskSupport"]);
        row(
            page,
            &format!("`{}`", text(&tool["name"])),
            &[
                &text(&tool["title"]),
                &cell(&tool["description"]),
                &hints.join(", "),
                mark(tool["outputSchema"].is_object()),
                mark(tool["icons"].is_array()),
                if task.is_empty() { "–" } else { &task },
            ],
        );
    }
}

fn prompts(page: &mut String, seen: &Seen) {
    page.push_str("\n## Prompts\n\n");
    row(page, "prompt", &["title", "description", "arguments", "icons"]);
    rule(page, 5);
    for prompt in &seen.prompts {
        let arguments = prompt["arguments"].as_array().into_iter().flatten().map(|argument| {
            let needed = if argument["required"] == true { "" } else { " (optional)" };
            format!("`{}`{needed}", text(&argument["name"]))
        });
        row(
            page,
            &format!("`{}`", text(&prompt["name"])),
            &[
                &text(&prompt["title"]),
                &cell(&prompt["description"]),
                &arguments.collect::<Vec<_>>().join(", "),
                mark(prompt["icons"].is_array()),
            ],
        );
    }
}

/// Resources of the same kind are shown once.
fn resources(page: &mut String, seen: &Seen) {
    let _ = writeln!(page, "\n## Resources\n\n{} of them.\n", seen.resources.len());
    row(page, "resources", &["how many", "the first is called", "types"]);
    rule(page, 4);
    let kind = |resource: &Value| {
        let uri = text(&resource["uri"]);
        let number = uri.rsplit('/').next().unwrap_or_default().parse::<u32>();
        if number.is_ok() {
            let kind = uri.rsplit_once('/').map(|(before, _)| format!("{before}/…"));
            kind.unwrap_or(uri)
        } else {
            uri
        }
    };
    let mut kinds: Vec<(String, Vec<&Value>)> = Vec::new();
    for resource in &seen.resources {
        let kind = kind(resource);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, of_it)) => of_it.push(resource),
            None => kinds.push((kind, vec![resource])),
        }
    }
    for (kind, of_it) in kinds {
        let types: BTreeSet<_> = of_it.iter().map(|resource| text(&resource["mimeType"])).collect();
        let types: Vec<_> = types.into_iter().collect();
        let (count, first) = (of_it.len().to_string(), text(&of_it[0]["name"]));
        row(page, &format!("`{kind}`"), &[&count, &first, &types.join(", ")]);
    }
    page.push_str("\n## Resource templates\n\n");
    row(page, "template", &["name", "description", "type"]);
    rule(page, 4);
    for template in &seen.templates {
        row(
            page,
            &format!("`{}`", text(&template["uriTemplate"])),
            &[
                &text(&template["name"]),
                &cell(&template["description"]),
                &text(&template["mimeType"]),
            ],
        );
    }
}

/// What a list has elsewhere and not on the revision that is shown, and the other way round.
fn listed_elsewhere(
    page: &mut String,
    what: &str,
    key: &str,
    shown: &Seen,
    seen: &[Seen],
    list: List,
) {
    let names = |seen: &Seen| -> BTreeSet<String> {
        list(seen).iter().map(|item| text(&item[key])).collect()
    };
    let here = names(shown);
    for other in seen {
        let there = names(other);
        for (more, than, word) in [(&there, &here, "also"), (&here, &there, "not")] {
            let more: Vec<_> = more.difference(than).map(|name| format!("`{name}`")).collect();
            if !more.is_empty() {
                let list = more.join(", ");
                let _ = writeln!(page, "\nOn {}, {word} among the {what}: {list}.", other.wire);
            }
        }
    }
}

/// Which fields the items of each list have, by revision.
fn fields(page: &mut String, seen: &[Seen]) {
    let names: Vec<_> = seen.iter().map(|seen| seen.wire).collect();
    page.push_str("\n## What is said of them\n\nThe fields that some item of a list has.\n\n");
    row(page, "field", &names);
    rule(page, names.len() + 1);
    let lists: [(&str, List); 4] = [
        ("tool", |seen| &seen.tools),
        ("prompt", |seen| &seen.prompts),
        ("resource", |seen| &seen.resources),
        ("template", |seen| &seen.templates),
    ];
    for (what, list) in lists {
        let fields = |seen: &Seen| -> BTreeSet<String> {
            let items = list(seen).iter().filter_map(Value::as_object);
            items.flat_map(|item| item.keys().cloned()).collect()
        };
        let all: BTreeSet<_> = seen.iter().flat_map(fields).collect();
        for field in all {
            let cells = seen.iter().map(|seen| mark(fields(seen).contains(&field)));
            row(page, &format!("{what}: `{field}`"), &cells.collect::<Vec<_>>());
        }
    }
}

fn completions(page: &mut String, seen: &Seen) {
    page.push_str("\n## Completions\n\nWhat is suggested when nothing was typed yet.\n\n");
    row(page, "of", &["argument", "how many there are", "the first of them"]);
    rule(page, 4);
    for (of, argument, completion) in &seen.completions {
        let values = completion["values"].as_array().into_iter().flatten();
        let values: Vec<_> = values.take(5).map(|value| format!("`{}`", text(value))).collect();
        let total = completion["total"].to_string();
        row(page, &format!("`{of}`"), &[&format!("`{argument}`"), &total, &values.join(", ")]);
    }
}

fn row(page: &mut String, first: &str, cells: &[&str]) {
    let _ = write!(page, "| {first} |");
    for cell in cells {
        let _ = write!(page, " {cell} |");
    }
    page.push('\n');
}

fn rule(page: &mut String, columns: usize) {
    let _ = writeln!(page, "|{}", "---|".repeat(columns));
}

fn mark(yes: bool) -> &'static str {
    if yes { "yes" } else { "–" }
}

/// A text, in one line and without what ends a cell.
fn cell(value: &Value) -> String {
    text(value).replace('|', "\\|").replace('\n', " ")
}
