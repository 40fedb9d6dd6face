//! Tools that misbehave, over stdio: where there is one stream for everything.

use std::sync::Arc;

use mcp_everything_features::{Everything, FAULT_TOOLS, Options};
use rmcp::{
    ServiceError,
    model::{CallToolRequestParams, ProtocolVersion},
};
use serde_json::{Value, json};

use crate::support::{Answering, Client, arguments, everything, options, texts};

const PAGE: &str = include_str!("../../../../docs/fault-tools.md");

fn faulty() -> Everything {
    Everything::new(Options { faults: Some(Arc::new(|_| None)), ..options() }).unwrap()
}

/// The kinds of a tool, and whether the page says that they are possible here.
fn kinds(tool: &str) -> Vec<(Value, bool)> {
    let section = PAGE.split("\n## `").find(|section| section.starts_with(&format!("{tool}`")));
    let section = section.unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let value = cells[0].trim_matches('`');
        let value = value.parse::<i64>().map_or_else(|_| json!(value), |code| json!(code));
        (value, cells[cells.len() - 2].contains('I'))
    })
    .collect()
}

async fn call(client: &Client, tool: &str, of: Value) -> Result<String, i32> {
    let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments(of));
    match client.call_tool(params).await {
        Ok(result) => Ok(texts(&result).join("")),
        Err(ServiceError::McpError(error)) => Err(error.code.0),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn without_the_option_none_of_the_names_is_known() {
    let client = Answering::new(ProtocolVersion::V_2025_11_25, json!({}));
    let client = client.connect(&everything()).await;
    for tool in FAULT_TOOLS {
        assert_eq!(call(&client, tool, json!({})).await, Err(-32602), "{tool}");
    }
}

#[tokio::test]
async fn faults_are_possible_where_the_page_says() {
    let client = Answering::new(ProtocolVersion::V_2025_11_25, json!({}));
    let client = client.connect(&faulty()).await;
    let mut seen = 0;
    for tool in FAULT_TOOLS {
        for (kind, possible) in kinds(tool) {
            let argument = if tool == "faultJsonRpc" { "code" } else { "kind" };
            let mut of = json!({ "seconds": 0, "pieces": 1, "count": 1 });
            of[argument] = kind.clone();
            match call(&client, tool, of).await {
                Err(code) => assert_eq!(json!(code), kind),
                Ok(said) => {
                    assert_eq!(
                        !said.contains("is not possible over stdio"),
                        possible,
                        "{tool} {kind}"
                    );
                }
            }
            seen += 1;
        }
    }
    assert!(seen > 60);
}
