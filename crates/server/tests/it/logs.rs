//! The log: each kind of line, with its name and its fields.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Mcp, QUIET, Server, Stream, sources};

on_every_deployment!(
    requests_authentication_sessions_and_storage_each_have_their_line,
    a_client_that_comes_back_has_a_line,
);

#[track_caller]
fn has(line: &Value, fields: &[&str]) {
    for field in ["timestamp", "severity", "message", "event", "target"].iter().chain(fields) {
        assert!(!line[*field].is_null(), "{field} in {line}");
    }
}

async fn requests_authentication_sessions_and_storage_each_have_their_line(on: &Deployment) {
    let server = on.start();
    has(&server.logged("server.started"), &["endpoint", "auth", "store", "version"]);

    let client = Mcp::of(&server, "alice").await;
    let answered = server
        .logged_where(|line| line["event"] == "http.response" && line["path"] == "/mcp")
        .unwrap();
    has(&answered, &["method", "status", "duration_ms", "address", "request_id"]);
    has(&server.logged("auth.client.registered"), &["client_id", "request_id"]);
    has(&server.logged("auth.consent.granted"), &["client_id"]);
    has(&server.logged("auth.code.issued"), &["client_id", "user_id"]);
    has(&server.logged("auth.token.issued"), &["client_id", "user_id"]);
    has(&server.logged("session.started"), &["session", "user_id", "client_id", "version"]);
    let stored = server
        .logged_where(|line| line["event"] == "store.operation" && !line["request_id"].is_null())
        .unwrap();
    has(&stored, &["operation"]);

    // Refused for its token.
    let mut stranger = client.clone();
    stranger.token = None;
    Answer::of(stranger.get(None).await).await;
    has(&server.logged("auth.token.rejected"), &["reason", "request_id"]);

    client.delete().await;
    has(&server.logged("session.ended"), &["session", "user_id"]);
}

/// What takes long or measures is tested with servers like that.
#[tokio::test]
async fn a_quiet_server_says_that_it_is_there_and_little_more() {
    let server = Server::with(&[QUIET]);
    let _client = Mcp::of(&server, "alice").await;
    let events: Vec<_> = server.log().iter().map(|line| line["event"].clone()).collect();
    assert!(events.contains(&json!("server.started")), "{events:?}");
    assert!(!events.contains(&json!("session.started")), "{events:?}");
}

/// In Redis nobody hears of it.
#[tokio::test]
async fn a_session_that_expires_in_memory_has_its_line() {
    let server = Server::with(&[("SESSION_TTL", "500ms")]);
    let _expiring = Mcp::of(&server, "bob").await;
    has(&server.logged("session.expired"), &["session", "user_id", "client_id"]);
}

async fn a_client_that_comes_back_has_a_line(on: &Deployment) {
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {
            "name": "longRunningOperation", "arguments": { "duration": 0.3, "steps": 3 },
            "_meta": { "progressToken": 1 }
        }
    });
    let mut calling = Stream::of(client.send(&call).await);
    calling.next().await.unwrap();
    let last = calling.last_id.clone();
    drop(calling);
    let mut rest = Stream::of(client.get(last.as_deref()).await);
    while rest.next().await.is_some() {}
    has(&server.logged("stream.resumed"), &["session", "call", "request_id"]);
    let _standalone = Stream::of(client.get(None).await);
    has(&server.logged("stream.opened"), &["session", "request_id"]);
}

/// Whoever runs the server reads there what to allow.
#[tokio::test]
async fn a_host_or_origin_that_is_refused_is_named() {
    let server = Server::open();
    let client = Mcp::new(&server);
    for (header, value, field, event) in [
        ("host", "mcp.example.com", "host", "http.host_refused"),
        ("origin", "https://app.example.com", "origin", "mcp.origin_refused"),
    ] {
        client.request(Method::POST).header(header, value).send().await.unwrap();
        assert_eq!(server.logged(event)[field], value);
    }
}

#[tokio::test]
async fn what_a_client_sends_cannot_forge_a_line() {
    let server = Server::open();
    let client = Mcp::new(&server);
    let forged = "x\n{\"event\":\"forged\"}\u{1b}[31m";
    let message = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": forged, "version": "y".repeat(2000) }
        }
    });
    client.post(&message).await;
    let line = server.logged("session.started");
    assert_eq!(line["client_name"], forged, "kept, but on one line");
    assert!(line["client_version"].as_str().unwrap().chars().count() < 600, "bounded");
    assert!(server.log().iter().all(|line| line["event"] != "forged"));
}

/// A line that is added to the source and not to the page fails here, and the other way around.
#[test]
fn the_page_lists_every_line() {
    const PAGE: &str = include_str!("../../../../docs/logging.md");
    let lines = PAGE.split("\n## Lines\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let first_cells = lines.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    let listed: BTreeSet<_> = first_cells
        .flat_map(|cell| cell.split('`'))
        .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect();
    let mut written = BTreeSet::new();
    for source in sources() {
        for rest in source.split("event = \"").skip(1) {
            written.insert(rest.split('"').next().unwrap().to_owned());
        }
    }
    assert!(written.contains("server.started") && written.contains("auth.token.issued"));
    assert_eq!(written, listed);
}

/// Nor is it counted, unless it is of level debug. What its level is stands before its name.
#[test]
fn every_line_is_counted_that_is_written_by_itself() {
    let mut written = BTreeSet::new();
    for source in sources() {
        let mut before = String::new();
        for part in source.split_inclusive("event = \"") {
            if let Some((name, _)) = part.split_once('"').filter(|_| !before.is_empty()) {
                let levels = ["info", "warn", "error", "debug", "trace", "$level"];
                let last = |level: &str| before.rfind(&format!("{level}!("));
                let level = levels.into_iter().max_by_key(|level| last(level)).unwrap();
                if !["debug", "trace"].contains(&level) {
                    written.insert(name.to_owned());
                }
            }
            before += part;
        }
    }
    let counted = crate::metrics::events();
    assert_eq!(written, counted.into_iter().map(str::to_owned).collect());
}
