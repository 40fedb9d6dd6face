//! MCP Inspector, from its command line.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
};

use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::{
    chromium::Chromium,
    it::support::{Server, SignIn},
    pages::{ALLOW, SIGN_IN},
    running::Running,
    tools,
};

#[tokio::test]
async fn it_uses_a_server_without_authentication() {
    let server = Server::open();
    for era in ["legacy", "modern"] {
        uses_everything(&server, "/mcp", &["--protocol-era", era]).await;
    }
}

#[tokio::test]
async fn it_uses_http_with_sse() {
    let server = Server::open();
    uses_everything(&server, "/sse", &["--transport", "sse"]).await;
}

#[tokio::test]
async fn it_uses_a_server_with_a_token() {
    let server = Server::start();
    let token = SignIn::register(&server).await.tokens("alice").await.access;
    let header = format!("Authorization: Bearer {token}");
    uses_everything(&server, "/mcp", &["--header", &header]).await;
}

#[tokio::test]
async fn it_signs_in_through_the_browser() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let callback = format!("http://127.0.0.1:{port}/oauth/callback");
    let mut command = tools::inspector(home.path());
    command
        .arg("--cli")
        .args([&server.url("/mcp"), "--method", "tools/list", "--format", "json"])
        .args(["--callback-url", &callback])
        // It asks people only: without a terminal this says that there is one.
        .env("MCP_AUTO_OPEN_ENABLED", "true");
    let mut inspector = Running::start(&mut command);
    let asked = inspector.complains("navigate to: ").await;
    let url = asked.split_once("navigate to: ").unwrap().1;

    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(url).await;
    assert!(browser.text("main").await.contains("Inspector"));
    browser.click(ALLOW).await;
    browser.click(SIGN_IN).await;
    let listed: Value = serde_json::from_str(&inspector.rest().await).unwrap();
    assert!(names(&listed["result"]["tools"]).contains(&"echo"), "{listed}");
}

async fn uses_everything(server: &Server, path: &str, options: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let ask = async |args: &[&str]| {
        let mut command = tools::inspector(home.path());
        command
            .arg("--cli")
            .arg(server.url(path))
            .args(["--format", "json"])
            .args(options)
            .args(args);
        ended(command).await
    };
    let listed = ask(&["--method", "tools/list"]).await;
    let tools = names(&listed["result"]["tools"]);
    for tool in ["echo", "add", "longRunningOperation", "sampleLLM", "getTinyImage"] {
        assert!(tools.contains(&tool), "{tool}: {tools:?}");
    }
    let called =
        ask(&["--method", "tools/call", "--tool-name", "echo", "--tool-arg", "message=hi"]);
    assert_eq!(called.await["result"]["content"][0]["text"], "Echo: hi");
    let listed = ask(&["--method", "resources/list"]).await;
    assert!(names(&listed["result"]["resources"]).contains(&"Resource 1"), "{listed}");
    let listed = ask(&["--method", "prompts/list"]).await;
    assert!(names(&listed["result"]["prompts"]).contains(&"simple_prompt"), "{listed}");
}

async fn ended(mut command: Command) -> Value {
    let output = spawn_blocking(move || command.stdin(Stdio::null()).output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|item| item["name"].as_str()).collect()
}
