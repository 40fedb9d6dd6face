//! mcp-remote: what stands between a client that knows only stdio and a server that wants a token.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use super::{Deployed, ROOT, User};
use crate::{it::support::soon, running::Running};

on_every_deployment!(mcp_remote_over_http, mcp_remote_without_sessions, mcp_remote_over_sse);

async fn mcp_remote_over_http(deployed: &Deployed) {
    it_signs_in_once(deployed, "/mcp", &["--transport", "http-only"]).await;
}

/// The client over stdio has a session with mcp-remote, which has none.
async fn mcp_remote_without_sessions(deployed: &Deployed) {
    it_signs_in_once(deployed, "/mcp", &["--transport", "http-only", "--protocol", "auto"]).await;
}

async fn mcp_remote_over_sse(deployed: &Deployed) {
    it_signs_in_once(deployed, "/sse", &["--transport", "sse-only"]).await;
}

/// At its second start it has a token.
async fn it_signs_in_once(deployed: &Deployed, path: &str, options: &[&str]) {
    let mut user = User::at_a_desktop().await;
    let home = tempfile::tempdir().unwrap();
    let url = deployed.server.url(path);
    let first = is_used(&mut user, &url, options, home.path()).await;
    assert_eq!(user.asked, 1, "the user is asked once");
    let again = is_used(&mut user, &url, options, home.path()).await;
    assert_eq!(user.asked, 1, "what it has is good enough");
    assert_eq!(again, first);
}

/// A client uses a server through it; who the server says called.
pub(super) async fn is_used(user: &mut User, url: &str, options: &[&str], home: &Path) -> String {
    let mut command = Command::new(format!("{ROOT}/tools/node"));
    command
        .arg(format!("{ROOT}/tools/node_modules/mcp-remote/dist/proxy.js"))
        .arg(url)
        .args(options)
        .env("HOME", home)
        .env("BROWSER", user.desktop.browser());
    let mut remote = Running::start(&mut command);
    let client = json!({ "name": "client", "version": "1" });
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    ask(user, &mut remote, 1, "initialize", params).await;
    remote.tell(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    let listed = ask(user, &mut remote, 2, "tools/list", json!({})).await;
    assert!(listed["tools"].as_array().unwrap().len() > 8, "{listed}");
    let echo = json!({ "name": "echo", "arguments": { "message": "hi" } });
    let echoed = ask(user, &mut remote, 3, "tools/call", echo).await;
    assert_eq!(echoed["content"][0]["text"], "Echo: hi", "{echoed}");
    let whoami = json!({ "name": "whoami", "arguments": {} });
    let told = ask(user, &mut remote, 4, "tools/call", whoami).await;
    remote.rest().await;
    told["structuredContent"]["caller"]["user"].as_str().unwrap().to_owned()
}

/// What it answers to a request.
async fn ask(user: &mut User, remote: &mut Running, id: u64, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    remote.tell(&request.to_string());
    let answer = async {
        loop {
            let line = user.next_line_of(remote).await?;
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == id {
                break Some(message);
            }
        }
    };
    let Some(mut answer) = soon(answer).await else {
        panic!("{method}: {}", remote.complaints().await);
    };
    assert!(answer["error"].is_null(), "{method}: {answer}");
    answer["result"].take()
}
