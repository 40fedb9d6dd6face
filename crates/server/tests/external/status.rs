//! The status page in a browser, before three instances behind `HAProxy` that share a Redis.
//!
//! With `WRITE_PICTURES=1` the pictures of `docs/status.md` are written again.

use std::{fs, path::Path};

use mcp_everything_store::contract::redis_server::RedisServer;
use serde_json::json;

use crate::{
    chromium::{Chromium, ENTER},
    haproxy::Haproxy,
    it::support::{Mcp, Server, soon},
    keyboard::tab_to,
    pages_look_right,
};

/// The largest picture that is kept, in bytes.
const LARGEST: usize = 200_000;

struct Fleet {
    server: Server,
    _haproxy: Haproxy,
    _redis: RedisServer,
}

impl Fleet {
    fn start() -> Self {
        let (redis, haproxy) = (RedisServer::start(), Haproxy::start());
        let url = redis.url();
        let settings = [("AUTH_MODE", "none"), ("REDIS_URL", url.as_str())];
        let server = Server::behind(&haproxy.base(), &haproxy.instances, &settings);
        haproxy.until_it_serves(0..3);
        Self { server, _haproxy: haproxy, _redis: redis }
    }

    /// The page of the first instance, on its own machine.
    fn page(&self, query: &str) -> String {
        self.server.url_of(0, &format!("/status{query}"))
    }
}

#[tokio::test]
async fn it_shows_how_the_instances_share_what_comes() {
    let fleet = Fleet::start();
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&fleet.page("")).await;
    browser.text("//*[@data-figure='instances'][.='3']").await;
    browser.text("//span[@id='state'][.='Connected.']").await;
    let before = recent(&browser).await;

    let client = Mcp::anonymous(&fleet.server).await;
    let _stream = client.get(None).await;
    for _ in 0..30 {
        client.is_served().await;
    }
    until(
        &browser,
        &format!(
            "Number(document.querySelector('[data-figure=recent]').textContent) >= {}",
            before + 31
        ),
    )
    .await;
    browser.text("//*[@data-figure='streams'][.='1']").await;
    // Each of them has served, and its chart says so.
    until(&browser, "[...document.querySelectorAll('#instances svg.requests')]
        .filter((chart) => !chart.getAttribute('aria-label').endsWith('at most 0 within two minutes'))
        .length === 3")
    .await;
    let here = browser.text("#here").await;
    assert!(
        browser.text(&format!("//li[@data-instance='{here}']")).await.contains("comes from it")
    );
    assert!(browser.text("#lines").await.contains("server.started"));
    look(&browser, "status").await;
    keep(&browser, "status-instances", "#instances").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn its_diagram_has_the_client_the_balancer_the_instances_and_redis() {
    let fleet = Fleet::start();
    let mut client = Mcp::new(&fleet.server);
    client.initialize(json!({ "sampling": {} })).await;
    let session = client.session.clone().unwrap();
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&fleet.page(&format!("?session={session}"))).await;
    browser.text("//*[@data-figure='instances'][.='3']").await;
    browser.text("//a[@aria-current='true']").await;

    // The balancer asks them in turn, and all of them know soon that somebody watches.
    let lanes = "document.querySelectorAll('#trace-picture rect[data-lane=instance]').length";
    let asked = async {
        while browser.script(&format!("return {lanes}")).await.as_u64().unwrap() < 3 {
            client.is_served().await;
        }
    };
    soon(asked).await;
    client.call("longRunningOperation", json!({ "duration": 1, "steps": 2 })).await;
    let has = |what: &str, text: &str| {
        format!(
            "[...document.querySelectorAll('#trace-picture text[data-what={what}]')]
            .some((text) => text.textContent.startsWith('{text}'))"
        )
    };
    for (what, text) in [
        ("received", "tools/call echo #1"),
        ("sent", "result #1"),
        ("asked", "admit"),
        ("asked", "open_call"),
        ("sent", "notifications/progress"),
    ] {
        until(&browser, &has(what, text)).await;
    }
    let heads = "return [...document.querySelectorAll('#trace-picture rect.head + text')]
        .map((text) => text.textContent).join()";
    let heads = browser.script(heads).await.as_str().unwrap().to_owned();
    assert!(heads.starts_with("Client,Balancer,") && heads.ends_with(",Redis"), "{heads}");
    let told = browser.script("return document.getElementById('trace-list').textContent").await;
    let told = told.as_str().unwrap().to_owned();
    for said in
        ["The client sent request tools/call echo #1 through a balancer to", "asked Redis: admit."]
    {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(told.contains("\"hi\""), "what is in its messages, as it is one's own");
    look(&browser, "status-session").await;
    keep(&browser, "status-trace", "#trace-picture").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let fleet = Fleet::start();
    let client = Mcp::anonymous(&fleet.server).await;
    let session = client.session.clone().unwrap();
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&fleet.page("")).await;
    browser.text(&format!("//a[.='{session}']")).await;
    tab_to(&browser, "#sessions a").await;
    browser.press([ENTER]).await;
    browser.is_shown("#trace-empty").await;
    assert!(browser.url().await.ends_with(&format!("?session={session}")));
    let drawn = "document.querySelectorAll('#trace-picture svg').length === 1";
    let asked = async {
        while browser.script(&format!("return {drawn}")).await == false {
            client.is_served().await;
        }
    };
    soon(asked).await;
    tab_to(&browser, "#trace-picture").await;
    tab_to(&browser, "summary").await;
    browser.press([ENTER]).await;
    assert!(browser.is_shown("#trace-list").await);
    tab_to(&browser, "#lines").await;
}

/// Whoever is not known is asked who they are, by a form and with as few obstacles.
#[tokio::test]
async fn its_door_can_be_used_by_everybody() {
    let server = Server::with(&[("TRUSTED_PROXIES", "127.0.0.0/8,::1")]);
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.open(&server.url("/status")).await;
    browser.is_shown("#token").await;
    look(&browser, "status-door").await;
    browser.fill("#token", "nonsense").await;
    tab_to(&browser, "button").await;
    browser.press([ENTER]).await;
    assert!(browser.text("[role=alert]").await.contains("unknown, expired or revoked"));
    tab_to(&browser, "a.button").await;
    browser.press([ENTER]).await;
    browser.is_shown("button.primary").await;
    look(&browser, "status-sign-in").await;
    tab_to(&browser, "button.primary").await;
    browser.press([ENTER]).await;
    tab_to(&browser, "#userId").await;
    browser.press([ENTER]).await;
    browser.text("//h2[.='Your sessions']").await;
    browser.text("//span[@id='state'][.='Connected.']").await;
    look(&browser, "status-own").await;
}

/// How many requests the page says that there were within two minutes.
async fn recent(browser: &Chromium) -> u64 {
    browser.text("[data-figure=recent]").await.parse().unwrap()
}

/// Waits until this is true in the page.
async fn until(browser: &Chromium, is_it: &str) {
    let waited = async {
        while browser.script(&format!("return {is_it}")).await != true {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    soon(waited).await;
}

/// As for every page, and then as most people see it.
async fn look(browser: &Chromium, name: &str) {
    pages_look_right::look(browser, name).await;
    browser.look(1280, "light").await;
}

/// Writes a picture of the documentation, down to this element, if that is wanted.
async fn keep(browser: &Chromium, name: &str, element: &str) {
    if std::env::var_os("WRITE_PICTURES").is_none() {
        return;
    }
    browser.look(1100, "light").await;
    let picture = browser.picture_down_to(element).await;
    assert!(picture.len() < LARGEST, "{name} has {} bytes", picture.len());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{name}.png")), picture).unwrap();
}
