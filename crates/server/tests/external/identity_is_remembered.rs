//! A browser keeps its user's id; another browser is another user.

use serde_json::json;

use crate::{
    chromium::Chromium,
    it::support::Server,
    pages::{ALLOW, SIGN_IN},
    visit::Visit,
};

#[tokio::test]
async fn the_id_comes_back_after_a_restart_of_the_browser() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&visit.url()).await;
    browser.click(ALLOW).await;
    browser.click("#edit").await;
    browser.press("dora".chars()).await;
    browser.click(SIGN_IN).await;
    visit.answer(&browser).await;
    drop(browser);

    let browser = Chromium::start(profile.path()).await;
    browser.open(&visit.url()).await;
    browser.click(ALLOW).await;
    assert_eq!(browser.value("#userId").await, "dora");
    assert_eq!(browser.script("return localStorage.getItem('mcpUserId')").await, "dora");
}

#[tokio::test]
async fn two_browsers_are_two_users_who_are_kept_apart() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profiles = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = Chromium::start(profiles[0].path()).await;
    let second = Chromium::start(profiles[1].path()).await;

    let (id, client) = visit.accept(&first).await;
    let (other_id, mut other) = visit.accept(&second).await;
    assert_ne!(id, other_id);
    assert_eq!(visit.user(&client).await, id);
    assert_eq!(visit.user(&other).await, other_id);

    other.session.clone_from(&client.session);
    other.call("echo", json!({ "message": "hi" })).await.is_refused(404, -32001);
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await.text(), "Echo: hi");
    let (again, _) = visit.accept(&first).await;
    assert_eq!(again, id, "the first browser's id is still the same");
}
