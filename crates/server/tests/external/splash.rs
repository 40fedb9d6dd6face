//! The page of the server: what a newcomer copies from it is right, with the mouse, with keys alone and
//! without scripts.

use std::process::Command;

use tokio::task::spawn_blocking;

use crate::{
    chromium::{Chromium, ENTER},
    it::support::{Server, binary},
    keyboard::tab_to,
    pages_look_right::look,
};

async fn on_the_page(server: &Server) -> (Chromium, tempfile::TempDir) {
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&server.url("/")).await;
    (browser, profile)
}

/// What `sh` says to commands of a page, where `mcp-everything` is in the `PATH`.
async fn run(commands: String) -> String {
    let program = std::path::PathBuf::from(binary().get_program());
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", &commands]).env("PATH", path);
    let output = spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    said
}

#[tokio::test]
async fn the_commands_for_curl_are_a_session() {
    for server in [Server::start(), Server::open()] {
        let (browser, _profile) = on_the_page(&server).await;
        let commands = browser.script("return document.getElementById('curl').textContent").await;
        let said = run(commands.as_str().unwrap().to_owned()).await;
        assert!(said.contains("Echo: hello"), "{said}");
    }
}

#[tokio::test]
async fn a_button_copies_what_stands_beside_it() {
    let server = Server::start();
    let (browser, _profile) = on_the_page(&server).await;
    browser.let_copy(&server.base, true).await;
    browser.click("[data-copies=inspector]").await;
    browser.text("//button[@data-copies='inspector'][.='Copied']").await;
    // What was copied is pasted.
    let pasted = "return navigator.clipboard.readText()";
    let copied = browser.script(pasted).await;
    assert_eq!(copied.as_str().unwrap(), browser.text("#inspector").await);

    // Where there is no clipboard, as over plain HTTP, the user has little left to do.
    browser.let_copy(&server.base, false).await;
    browser.click("[data-copies=endpoint]").await;
    browser.text("//button[@data-copies='endpoint'][.='Selected: copy it']").await;
    let selected = browser.script("return getSelection().toString()").await;
    assert_eq!(selected.as_str().unwrap().trim(), server.url("/mcp"));
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn keys_open_what_is_closed_and_copy_it() {
    let server = Server::start();
    let (browser, _profile) = on_the_page(&server).await;
    browser.let_copy(&server.base, true).await;
    tab_to(&browser, "details:nth-of-type(2) summary").await;
    browser.press([ENTER]).await;
    assert!(browser.is_shown("#claude-code").await);
    tab_to(&browser, "[data-copies='claude-code']").await;
    browser.press([ENTER]).await;
    browser.text("//button[@data-copies='claude-code'][.='Copied']").await;
}

#[tokio::test]
async fn it_says_whether_the_server_takes_requests() {
    let mut server = Server::start();
    let (browser, _profile) = on_the_page(&server).await;
    assert!(browser.text("[data-state=ready]").await.contains("it takes requests"));
    server.instances[0].kill();
    // It looks again when it is seen again.
    browser.script("document.dispatchEvent(new Event('visibilitychange'))").await;
    assert!(browser.text("[data-state=away]").await.contains("does not answer"));
}

#[tokio::test]
async fn without_scripts_it_says_everything_and_promises_nothing() {
    let server = Server::start();
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.without_scripts().await;
    browser.open(&server.url("/")).await;
    assert!(browser.text("#inspector").await.contains("@modelcontextprotocol/inspector"));
    browser.click("details:nth-of-type(2) summary").await;
    assert!(browser.text("#claude-code").await.contains("claude mcp add"));
    assert!(!browser.is_shown("[data-copies=inspector]").await, "a button that does nothing");
    assert!(browser.text("#readiness").await.contains("/readyz"));
}

#[tokio::test]
async fn pages_for_people_who_are_lost_look_right() {
    let server = Server::start();
    let (browser, _profile) = on_the_page(&server).await;
    for (path, name) in
        [("/mcp", "mistake-endpoint"), ("/no/such/page", "mistake-unknown"), ("/token", "mistake")]
    {
        browser.open(&server.url(path)).await;
        look(&browser, name).await;
    }
}

#[tokio::test]
async fn the_page_of_the_authorization_server_looks_right() {
    let log = std::sync::Arc::default();
    let server = crate::it::support::AuthServer::start(0, &[], &log);
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&server.issuer).await;
    browser.text("[data-state=ready]").await;
    look(&browser, "auth-server").await;
}
