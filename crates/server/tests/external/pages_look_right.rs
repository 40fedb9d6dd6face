//! Every page fits its screen, in light and dark, and axe-core finds nothing wrong with it. The
//! pictures are for people to look at.

use std::{fs, path::Path};

use crate::{
    account::{END, OPEN},
    axe,
    chromium::Chromium,
    it::support::Server,
    pages::{ALLOW, SIGN_IN},
    visit::Visit,
};

/// The narrowest is that of WCAG 2.2, 1.4.10: a page of 1280 pixels at 400 %.
const WIDTHS: [u32; 3] = [1280, 390, 320];

#[tokio::test]
async fn on_wide_and_narrow_screens_in_light_and_dark() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;

    browser.open(&server.url("/")).await;
    browser.text("[data-state=ready]").await;
    look(&browser, "splash").await;
    // One client at a time is shown; here, all.
    let open = "for (const one of document.querySelectorAll('details')) {
        one.removeAttribute('name'); one.open = true; }";
    browser.script(open).await;
    look(&browser, "splash-open").await;
    browser.open(&visit.url()).await;
    look(&browser, "consent").await;
    browser.click(ALLOW).await;
    browser.value("#userId").await;
    look(&browser, "identity").await;
    browser.click(SIGN_IN).await;
    visit.answer(&browser).await;
    browser.open(&server.url("/account")).await;
    look(&browser, "account-sign-in").await;
    browser.click(OPEN).await;
    browser.click(SIGN_IN).await;
    browser.is_shown(END).await;
    look(&browser, "account").await;
    browser.click(END).await;
    browser.is_shown("#none").await;
    look(&browser, "account-empty").await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.open(&server.url("/authorize?client_id=nobody")).await;
    look(&browser, "error").await;
    let complaints = browser.complaints().await;
    let is_policy = |complaint: &String| complaint.contains("Content Security Policy");
    assert!(!complaints.iter().any(is_policy), "{complaints:?}");
}

/// A name may be long, without a place to break, and run the other way.
#[tokio::test]
async fn whatever_a_client_calls_itself() {
    let server = Server::start();
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    let name = format!("\u{5de}\u{5d6}\u{5d4} <b>\u{1f980}</b> {}", "Longest".repeat(14));
    let mut visit = Visit::of(&name, &server).await;
    browser.open(&visit.url()).await;
    assert!(browser.text("h1").await.contains("<b>"), "it is text");
    look(&browser, "consent-hostile").await;
    visit.accept(&browser).await;
    browser.open(&server.url("/account")).await;
    browser.click(OPEN).await;
    browser.click(SIGN_IN).await;
    assert!(browser.text("h2").await.contains("<b>"), "it is text");
    look(&browser, "account-hostile").await;
}

pub(crate) async fn look(browser: &Chromium, page: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
    fs::create_dir_all(&folder).unwrap();
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        for width in WIDTHS {
            browser.look(width, scheme).await;
            let picture = folder.join(format!("{page}-{width}-{scheme}.png"));
            fs::write(picture, browser.screenshot().await).unwrap();
            let wrong = axe::violations(browser).await;
            assert!(wrong.is_empty(), "{page} at {width}, {scheme}: {wrong:#?}");
            let wide = browser.script("return document.documentElement.scrollWidth").await;
            assert!(wide.as_u64().unwrap() <= width.into(), "{page} at {width}: it is {wide} wide");
        }
        let ground = "return getComputedStyle(document.body).backgroundColor";
        grounds.push(browser.script(ground).await);
    }
    assert_ne!(grounds[0], grounds[1], "{page} has dark colours");
}
