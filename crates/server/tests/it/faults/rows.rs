//! The page's tables, held to what the server lists and does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Caller, listed::tools, open};
use crate::support::{Deployment, Sse, call, soon};

const PAGE: &str = include_str!("../../../../../docs/fault-tools.md");

struct Row {
    tool: String,
    /// The argument that the first column is about, and its value.
    argument: String,
    value: Value,
    /// Where it is possible, by the letters of the page.
    places: String,
}

/// The rows of the tables of every tool that say where something is possible.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for section in PAGE.split("\n## `").skip(1) {
        let tool = section.split('`').next().unwrap();
        let mut argument = "";
        for line in section.lines().filter(|line| line.starts_with("| ")) {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let value = cells[0].trim_matches('`');
            if value == cells[0] {
                argument = if cells.contains(&"where") { value } else { "" };
            } else if !argument.is_empty() {
                let value = value.parse::<i64>().map_or_else(|_| json!(value), |code| json!(code));
                let places = cells[cells.len() - 2].replace(' ', "");
                let (tool, argument) = (tool.to_owned(), argument.to_owned());
                rows.push(Row { tool, argument, value, places });
            }
        }
    }
    rows
}

impl Row {
    fn arguments(&self) -> Value {
        let mut arguments = json!({ "seconds": 0, "pieces": 1, "size": 1, "count": 1, "retry": 0 });
        arguments[&self.argument] = self.value.clone();
        arguments
    }

    fn is_in(&self, place: char, refused: bool) {
        let Self { tool, value, places, .. } = self;
        assert_eq!(refused, !places.contains(place), "{tool} {value} at {place}");
    }
}

fn is_refusal(text: &str) -> bool {
    text.contains("is not possible over")
}

on_every_deployment!(faults_are_possible_where_the_page_says);

async fn faults_are_possible_where_the_page_says(on: &Deployment) {
    let server = open(on);
    let mut sse = Sse::open(&server, None).await;
    sse.initialize().await;
    let callers = Caller::both(&server).await;
    for (number, row) in rows().iter().enumerate() {
        for (caller, place) in callers.iter().zip(['S', 'N']) {
            let heard = caller.try_call(&row.tool, &row.arguments()).await;
            row.is_in(place, heard.is_ok_and(|heard| is_refusal(&heard.text())));
        }
        let id = u64::try_from(number).unwrap() + 100;
        let asked = sse.post(&call(id, &row.tool, &row.arguments())).await;
        if asked.status != 202 {
            assert_eq!(row.tool, "faultHttp");
            row.is_in('H', false);
            continue;
        }
        row.is_in('H', is_refusal(&answer(&mut sse, id).await));
    }
}

/// The answer to a call on the stream, whatever comes with it.
async fn answer(sse: &mut Sse, id: u64) -> String {
    loop {
        let message = soon(sse.stream.next()).await.expect("the stream goes on");
        if message["method"] == "fault/unknown" {
            let error = json!({ "code": -32601, "message": "Method not found" });
            let reply = json!({ "jsonrpc": "2.0", "id": message["id"], "error": error });
            sse.accepted(&reply).await;
        }
        if message["id"] == id {
            return message.to_string();
        }
    }
}

/// Each value of each argument that is one of several has a row, and no other.
#[tokio::test]
async fn every_kind_has_a_row() {
    let server = open(&Deployment::one_in_memory());
    let caller = Caller::with_session(&server).await;
    let mut listed = BTreeSet::new();
    for tool in tools(&caller.mcp).await {
        let name = tool["name"].as_str().unwrap();
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        let of_faults = properties.iter().filter(|_| name.starts_with("fault"));
        for (argument, schema) in of_faults {
            for value in schema["enum"].as_array().into_iter().flatten() {
                listed.insert(format!("{name} {argument} {value}"));
            }
        }
    }
    let shown = rows().into_iter().filter(|row| row.value.is_string());
    let shown: BTreeSet<_> =
        shown.map(|row| format!("{} {} {}", row.tool, row.argument, row.value)).collect();
    assert_eq!(shown, listed);
    assert!(shown.len() > 60);
}
