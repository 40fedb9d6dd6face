//! MCP Inspector, from its command line: one process for each thing that it does.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{Deployed, HTTP, MODERN, SSE, STDIO, Wire, is_right, page::Known, plan::Plan};
use crate::{
    it::support::{SignIn, binary},
    tools,
};

on_one_and_three!(
    inspector_cli_walks_over_http,
    inspector_cli_walks_without_sessions,
    inspector_cli_walks_over_sse,
);

async fn inspector_cli_walks_over_http(deployed: &Deployed) {
    walk(deployed, "inspector_cli_walks_over_http", &HTTP).await;
}

async fn inspector_cli_walks_without_sessions(deployed: &Deployed) {
    walk(deployed, "inspector_cli_walks_without_sessions", &MODERN).await;
}

async fn inspector_cli_walks_over_sse(deployed: &Deployed) {
    walk(deployed, "inspector_cli_walks_over_sse", &SSE).await;
}

#[tokio::test]
async fn inspector_cli_walks_over_stdio() {
    let known = Known::of("inspector_cli_walks_over_stdio");
    let plan = Plan::new(&STDIO, &known, "", "").with_few().forgetting();
    let server = binary().get_program().to_str().unwrap().to_owned();
    let lines = used(&plan, &[], &["--", &server, "stdio"]).await;
    is_right(lines, &plan, &known, &STDIO);
}

async fn walk(deployed: &Deployed, test: &str, wire: &Wire) {
    let server = &deployed.server;
    let known = Known::of(test);
    let token = SignIn::register(server).await.tokens("ada").await.access;
    let url = server.url(wire.path);
    let plan = Plan::new(wire, &known, &url, &token).with_few();
    let header = format!("Authorization: Bearer {token}");
    let options = ["--protocol-era", wire.era, "--header", &header];
    is_right(used(&plan, &options, &[&url]).await, &plan, &known, wire);
}

/// What came of everything, each line as the scripts say it.
async fn used(plan: &Plan, options: &[&str], target: &[&str]) -> Vec<Value> {
    let home = tempfile::tempdir().unwrap();
    let ask = async |args: &[&str]| {
        let mut command = tools::inspector(home.path());
        command.arg("--cli").args(["--format", "json"]).args(options);
        command.arg("--method").args(args).args(target);
        ended(command, home.path()).await
    };
    let mut lines = Vec::new();
    let mut called = Vec::new();
    // A call of one tool may bring another.
    for _ in 0..2 {
        let mut names = list(&mut lines, "tools", "name", &ask(&["tools/list"]).await);
        names.retain(|name| !called.contains(name));
        for name in names {
            let arguments = plan.table["tools"][&name]["arguments"].to_string();
            let call = ["tools/call", "--tool-name", &name, "--tool-args-json", &arguments];
            let mut line = ask(&call).await;
            line["did"] = json!("called");
            line["name"] = json!(name);
            lines.push(line);
            called.push(name);
        }
    }
    for name in list(&mut lines, "prompts", "name", &ask(&["prompts/list"]).await) {
        let arguments = plan.table["prompts"][&name]["arguments"].as_object().into_iter().flatten();
        let pairs: Vec<_> =
            arguments.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
        let mut call = vec!["prompts/get", "--prompt-name", &name];
        if !pairs.is_empty() {
            call.push("--prompt-args");
            call.extend(pairs.iter().map(String::as_str));
            // What is next is no argument any more.
            call.push("--quiet");
        }
        let mut line = ask(&call).await;
        line["did"] = json!("got");
        line["name"] = json!(name);
        lines.push(line);
    }
    let mut uris = list(&mut lines, "resources", "uri", &ask(&["resources/list"]).await);
    uris.retain(|uri| plan.is_read(uri));
    let templates = ask(&["resources/templates/list"]).await;
    for template in list(&mut lines, "resourceTemplates", "uriTemplate", &templates) {
        uris.extend(plan.table["templates"][&template]["uri"].as_str().map(str::to_owned));
    }
    for uri in uris {
        let mut line = ask(&["resources/read", "--uri", &uri]).await;
        line["did"] = json!("read");
        line["uri"] = json!(uri);
        lines.push(line);
    }
    lines
}

/// The names in a list, which is a line.
fn list(lines: &mut Vec<Value>, what: &str, key: &str, answer: &Value) -> Vec<String> {
    let items = answer["result"][what].as_array().unwrap_or_else(|| panic!("{what}: {answer}"));
    let names = items.iter().map(|item| item[key].as_str().unwrap().to_owned());
    let names: Vec<_> = names.collect();
    lines.push(json!({ "did": "listed", "what": what, "names": names }));
    names
}

/// What a process said: a result, or an error.
async fn ended(mut command: Command, folder: &Path) -> Value {
    command.current_dir(folder).stdin(Stdio::null());
    let output = spawn_blocking(move || command.output().unwrap()).await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        assert!(!output.status.success(), "{output:?}");
        json!({ "error": String::from_utf8_lossy(&output.stderr) })
    })
}
