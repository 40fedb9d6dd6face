//! The way through the pages, with JavaScript.

use serde_json::json;

use crate::{
    chromium::Chromium,
    it::support::Server,
    pages::{ALLOW, SIGN_IN},
    visit::Visit,
};

#[tokio::test]
async fn a_user_consents_chooses_an_id_and_comes_back_to_the_client() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;

    browser.open(&visit.url()).await;
    let consent = browser.text("main").await;
    let endpoint = server.url("/mcp");
    for said in ["Allow Test to use", "127.0.0.1", &endpoint, "mcp:read", "mcp:tools"] {
        assert!(consent.contains(said), "{said}: {consent}");
    }
    browser.click(ALLOW).await;

    let given = browser.value("#userId").await;
    assert_eq!(given.len(), 36, "a UUID: {given}");
    for button in ["#generate", "#edit"] {
        assert!(browser.is_shown(button).await, "{button}");
    }
    browser.click("#generate").await;
    let generated = browser.value("#userId").await;
    assert_eq!(generated.len(), 36, "a UUID: {generated}");
    assert_ne!(generated, given);
    // Editing selects the old id, so that typing replaces it.
    browser.click("#edit").await;
    browser.press("carol".chars()).await;
    assert_eq!(browser.value("#userId").await, "carol");
    browser.click(SIGN_IN).await;

    let answer = visit.answer(&browser).await;
    assert_eq!(browser.complaints().await, [""; 0]);
    let client = visit.client(&answer).await;
    assert_eq!(visit.user(&client).await, "carol");
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await.text(), "Echo: hi");
}
