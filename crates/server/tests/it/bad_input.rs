//! `docs/bad-input.md`, tried row by row.

use crate::support::{
    Deployment, Mcp, Server, Sse,
    rows::{Row, client},
};

on_every_deployment!(without_a_session, in_a_session, http_with_sse, without_sessions_at_all);

const PAGE: &str = include_str!("../../../../docs/bad-input.md");
const JSON: &str = "application/json";

/// The rows of one section of the page.
fn rows(section: &str) -> Vec<Row> {
    let start = PAGE.find(&format!("\n## {section}\n")).expect("the page has the section") + 1;
    let text = &PAGE[start..];
    Row::all(&text[..text[2..].find("\n## ").map_or(text.len(), |end| end + 2)])
}

async fn try_rows(section: &str, server: &Server, session: Option<&str>) -> usize {
    let http = client();
    let rows = rows(section);
    let mut wrong = Vec::new();
    for row in &rows {
        wrong.extend(row.wrong(&row.send(&http, server, JSON, session).await));
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    rows.len()
}

async fn without_a_session(on: &Deployment) {
    let server = on.open();
    assert!(try_rows("Without a session", &server, None).await > 40);
}

async fn in_a_session(on: &Deployment) {
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    assert!(try_rows("In a session", &server, client.session.as_deref()).await > 40);
    // Nothing was lost by it.
    let echoed = client.call("echo", serde_json::json!({ "message": "hi" })).await;
    assert_eq!(echoed.text(), "Echo: hi");
}

/// What is wrong with a message that was accepted is said on the stream.
async fn http_with_sse(on: &Deployment) {
    let server = on.open();
    let http = client();
    let mut client = Sse::open(&server, None).await;
    client.initialize().await;
    let session = client.endpoint.query().unwrap().to_owned();
    let rows = rows("HTTP with SSE");
    assert!(rows.len() > 25);
    let mut wrong = Vec::new();
    for mut row in rows {
        row.path = row.path.replace("sessionId={session}", &session);
        let mut answer = row.send(&http, &server, JSON, None).await;
        if answer.status == 202 && !row.code.is_empty() {
            answer.body = client.stream.next().await.unwrap();
        }
        wrong.extend(row.wrong(&answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(client.call("echo", serde_json::json!({ "message": "hi" })).await, "Echo: hi");
}

async fn without_sessions_at_all(on: &Deployment) {
    let server = on.open();
    assert!(try_rows("2026-07-28", &server, None).await > 10);
}
