//! Saying no.

use crate::{
    chromium::Chromium,
    it::support::Server,
    pages::{ALLOW, CANCEL, DENY},
    visit::Visit,
};

#[tokio::test]
async fn who_denies_goes_back_to_the_client_with_an_error() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;

    browser.open(&visit.url()).await;
    browser.click(DENY).await;
    let answer = visit.answer(&browser).await;
    assert_eq!(answer["error"], "access_denied");
    assert!(!answer.contains_key("code"));

    browser.open(&visit.url()).await;
    browser.click(ALLOW).await;
    browser.click(CANCEL).await;
    let answer = visit.answer(&browser).await;
    assert_eq!(answer["error"], "access_denied", "at the identity provider");
    assert_eq!(browser.complaints().await, [""; 0]);
}
