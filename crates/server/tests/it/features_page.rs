//! `docs/features.md` says what the running server answers, on every wire.
//!
//! What is above the mark in that page is written by this test when `WRITE_FEATURES=1` is set, and
//! compared with the page otherwise. What is below is written by hand; of that, each row that says
//! yes names a test or something that the server lists.

mod compared;
mod page;
mod seen;
mod wire;

use std::fs;

use serde_json::json;

use self::{seen::Seen, wire::Wire};
use crate::support::Server;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/features.md");

/// Where the part ends that is not written by hand.
const MARK: &str = "\n## Compared with other servers\n";

#[tokio::test]
async fn the_page_of_features_says_what_the_server_does() {
    let server = Server::open();
    let mut seen = Vec::new();
    for mut wire in [
        Wire::http_sse(&server, "2024-11-05").await,
        Wire::session(&server, "2025-03-26").await,
        Wire::session(&server, "2025-06-18").await,
        Wire::session(&server, "2025-11-25").await,
        Wire::stateless(&server, "2026-07-28"),
        Wire::stdio("2025-11-25").await,
    ] {
        seen.push(Seen::of(&mut wire).await);
    }
    let written = page::write(&seen);
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, by_hand) = page.split_once(MARK).expect("the page has a part written by hand");
    if std::env::var_os("WRITE_FEATURES").is_some() {
        fs::write(PAGE, format!("{written}{MARK}{by_hand}")).unwrap();
        return;
    }
    let here = before.lines().zip(written.lines()).find(|(is, should)| is != should);
    let agree = here.is_none() && before.lines().count() == written.lines().count();
    assert!(agree, "write docs/features.md again with WRITE_FEATURES=1; it differs at {here:#?}");
    compared::is_true(by_hand, before);
}

/// What a client can do that can do everything.
fn capabilities() -> serde_json::Value {
    json!({
        "sampling": { "tools": {} }, "elicitation": { "form": {}, "url": {} },
        "roots": { "listChanged": true },
        "tasks": { "list": {}, "cancel": {}, "requests": {
            "sampling": { "createMessage": {} }, "elicitation": { "create": {} }
        }},
        "extensions": {
            "io.modelcontextprotocol/tasks": {},
            "io.modelcontextprotocol/ui": { "mimeTypes": ["text/html;profile=mcp-app"] }
        },
    })
}
