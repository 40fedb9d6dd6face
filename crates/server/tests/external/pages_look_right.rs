//! Every page fits its screen, in light and dark. The pictures are for people to look at.

use std::{fs, path::Path};

use crate::{chromium::Chromium, it::support::Server, pages::ALLOW, visit::Visit};

const WIDTHS: [u32; 2] = [1280, 390];

#[tokio::test]
async fn on_wide_and_narrow_screens_in_light_and_dark() {
    let server = Server::start();
    let visit = Visit::to(&server).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;

    browser.open(&server.url("/")).await;
    look(&browser, "splash").await;
    browser.open(&visit.url()).await;
    look(&browser, "consent").await;
    browser.click(ALLOW).await;
    browser.value("#userId").await;
    look(&browser, "identity").await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.open(&server.url("/authorize?client_id=nobody")).await;
    look(&browser, "error").await;
    let complaints = browser.complaints().await;
    let is_policy = |complaint: &String| complaint.contains("Content Security Policy");
    assert!(!complaints.iter().any(is_policy), "{complaints:?}");
}

async fn look(browser: &Chromium, page: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
    fs::create_dir_all(&folder).unwrap();
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        for width in WIDTHS {
            browser.look(width, scheme).await;
            let picture = folder.join(format!("{page}-{width}-{scheme}.png"));
            fs::write(picture, browser.screenshot().await).unwrap();
            let wide = browser.script("return document.documentElement.scrollWidth").await;
            assert!(wide.as_u64().unwrap() <= width.into(), "{page} at {width}: it is {wide} wide");
        }
        let ground = "return getComputedStyle(document.body).backgroundColor";
        grounds.push(browser.script(ground).await);
    }
    assert_ne!(grounds[0], grounds[1], "{page} has dark colours");
}
