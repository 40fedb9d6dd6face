//! What a user sees of their grants, and does about them.

use http::StatusCode;
use serde_json::json;

use crate::{
    chromium::Chromium,
    it::support::Server,
    pages::{ALLOW, SIGN_IN},
    visit::Visit,
};

pub(crate) const OPEN: &str = "form[action$='/account/sign-in'] .primary";
pub(crate) const END: &str = ".grants form[action$='/account/revoke'] button";
pub(crate) const SIGN_OUT: &str = "form[action$='/account/sign-out'] button";

#[tokio::test]
async fn a_user_sees_what_they_granted_and_ends_it() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    let (user, client) = visit.accept(&browser).await;

    browser.open(&server.url("/")).await;
    browser.click("a[href$='/account']").await;
    browser.click(OPEN).await;
    assert_eq!(browser.value("#userId").await, user, "the browser remembers who it is");
    browser.click(SIGN_IN).await;
    browser.is_shown(END).await;
    let page = browser.text("main").await;
    let endpoint = server.url("/mcp");
    for said in [&user, "Test", "127.0.0.1", &endpoint, "Run the tools", "UTC"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await.text(), "Echo: hi");
    browser.click(END).await;
    browser.is_shown("#none").await;
    let refused = client.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);

    browser.click(SIGN_OUT).await;
    browser.is_shown(OPEN).await;
    assert!(!browser.text("main").await.contains(&user));
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn a_user_gives_less_than_is_asked_for() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&visit.url()).await;
    browser.click("select[name='mcp:tools'] [value=refuse]").await;
    browser.click(ALLOW).await;
    browser.click(SIGN_IN).await;
    let answer = visit.answer(&browser).await;
    let client = visit.client(&answer).await;
    let refused = client.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/list" });
    assert_eq!(client.post(&list).await.status, StatusCode::OK);
}
