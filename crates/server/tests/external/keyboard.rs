//! The keyboard is enough.

use crate::{
    account::{END, OPEN},
    chromium::{Chromium, ENTER, TAB},
    it::support::Server,
    pages::{ALLOW, DENY},
    visit::Visit,
};

#[tokio::test]
async fn to_allow_and_sign_in() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&visit.url()).await;
    tab_to(&browser, ALLOW).await;
    browser.press([ENTER]).await;
    let user = browser.value("#userId").await;
    tab_to(&browser, "#userId").await;
    browser.press([ENTER]).await;
    let answer = visit.answer(&browser).await;
    let client = visit.client(&answer).await;
    assert_eq!(visit.user(&client).await, user);
}

#[tokio::test]
async fn to_deny() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&visit.url()).await;
    tab_to(&browser, DENY).await;
    browser.press([ENTER]).await;
    assert_eq!(visit.answer(&browser).await["error"], "access_denied");
}

#[tokio::test]
async fn to_give_less_and_to_end_it() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&visit.url()).await;
    tab_to(&browser, "select[name='mcp:tools']").await;
    browser.press(['r']).await;
    assert_eq!(browser.value("select[name='mcp:tools']").await, "refuse");
    tab_to(&browser, ALLOW).await;
    browser.press([ENTER]).await;
    tab_to(&browser, "#userId").await;
    browser.press([ENTER]).await;
    visit.answer(&browser).await;

    browser.open(&server.url("/account")).await;
    tab_to(&browser, OPEN).await;
    browser.press([ENTER]).await;
    tab_to(&browser, "#userId").await;
    browser.press([ENTER]).await;
    browser.is_shown(END).await;
    assert!(!browser.text(".grants").await.contains("mcp:tools"));
    tab_to(&browser, END).await;
    browser.press([ENTER]).await;
    assert!(browser.is_shown("#none").await);
}

/// Presses Tab until this element has the focus, and sees that the focus can be seen.
pub(crate) async fn tab_to(browser: &Chromium, element: &str) {
    for _ in 0..30 {
        browser.press([TAB]).await;
        let has_focus = format!("return document.activeElement.matches(`{element}`)");
        if browser.script(&has_focus).await == true {
            let outline = "return getComputedStyle(document.activeElement).outlineStyle";
            assert_ne!(browser.script(outline).await, "none", "the focus on {element} is shown");
            return;
        }
    }
    panic!("Tab does not lead to {element}");
}
