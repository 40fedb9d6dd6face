//! The page of `mcp_apps_hello_world`, in a browser, within a host that is made of the official client and the official
//! bridge: `apps/host.html`. Nothing is bundled: the browser loads the modules as they are installed.

use std::{fs, path::Path as File};

use axum::{
    Router,
    extract::Path,
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse},
    routing::get,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    axe,
    chromium::{Chromium, ENTER, TAB},
    it::support::{Server, SignIn},
    tools,
};

/// What the specification demands of a page that declares no domain (SEP-1865, Host Behavior and Content Security
/// Policy Enforcement).
const POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; media-src 'self' data:; connect-src 'none'; object-src 'none'; base-uri 'self'; \
    frame-src 'none'";

const SHOWN: &str = "//h1[.='Hello from MCP Apps!']";

#[tokio::test]
async fn it_shows_the_result_calls_back_speaks_and_follows_the_theme() {
    let server = Server::start();
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.look(900, "light").await;
    open(&browser, &server).await;

    enter(&browser).await;
    browser.text(SHOWN).await;
    assert!(browser.text("#said").await.starts_with("If this client supports MCP Apps"));
    assert!(browser.text("#features").await.contains("bidirectional communication"));
    assert_eq!(browser.text("#version").await, env!("CARGO_PKG_VERSION"));
    assert_eq!(browser.text("#requests").await, "1");
    assert_eq!(browser.text("#input").await, "{}");
    let day = browser.script("return document.querySelector('time').textContent").await;
    assert!(day.as_str().unwrap().contains('/'), "{day} is as the host's locale has it");

    browser.click("#call").await;
    browser.text("//p[@id='called'][.='The sum of 2 and 3 is 5.']").await;
    browser.fill("#b", "x").await;
    browser.click("#call").await;
    browser.text("//p[@id='called'][@class='failed'][.='Both must be numbers.']").await;

    browser.click("#send").await;
    browser.text("//p[@id='sent'][.='Sent.']").await;
    let height =
        browser.script("return Math.ceil(document.body.getBoundingClientRect().height)").await;
    let light = look(&browser, "light").await;
    browser.leave().await;
    browser.text("//ul[@id='chat']/li[.='user: Hello from the app!']").await;
    let frame = browser.script("return document.querySelector('iframe').clientHeight").await;
    assert_eq!(frame, height, "as high as the app");

    browser.click("#dark").await;
    enter(&browser).await;
    browser.text("//html[contains(@style, 'color-scheme: dark')]//h1").await;
    let dark = look(&browser, "dark").await;
    assert_eq!([light, dark], ["rgb(255, 255, 255)", "rgb(16, 17, 19)"], "the host's variables");

    browser.leave().await;
    browser.click("#close").await;
    browser.text("//p[@id='state'][.='closed']").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn the_keyboard_is_enough_for_it_on_a_narrow_screen() {
    let server = Server::start();
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    browser.look(320, "dark").await;
    open(&browser, &server).await;
    enter(&browser).await;
    browser.text(SHOWN).await;
    browser.script("document.getElementById('a').focus()").await;
    browser.press(['4', TAB, '0', TAB, ENTER]).await;
    browser.text("//p[@id='called'][starts-with(., 'The sum of ')]").await;
    let outline = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_ne!(browser.script(outline).await, "none", "the focus is shown");
    // From the message, Enter sends it.
    browser.press([TAB, '!', ENTER]).await;
    browser.text("//p[@id='sent'][.='Sent.']").await;
    look(&browser, "narrow").await;
    let wide = browser.script("return document.documentElement.scrollWidth > innerWidth").await;
    assert_eq!(wide, false, "it fits");
    browser.leave().await;
    browser.text("//ul[@id='chat']/li").await;
}

#[tokio::test]
async fn it_believes_its_host_alone_and_makes_no_markup_of_what_it_is_told() {
    let server = Server::start();
    let profile = tempfile::tempdir().unwrap();
    let browser = Chromium::start(profile.path()).await;
    open(&browser, &server).await;
    enter(&browser).await;
    browser.text(SHOWN).await;
    let forged = json!({ "greeting": "forged" });
    let forged = notification("tool-result", &json!({ "structuredContent": forged }));
    browser.script(&format!("window.postMessage({forged}, '*')")).await;
    // Messages arrive in the order they were sent: that one has, when this is answered.
    browser.click("#call").await;
    browser.text("//p[@id='called'][.='The sum of 2 and 3 is 5.']").await;
    browser.text(SHOWN).await;

    let markup = "<img src=x onerror=alert(1)>";
    let hostile =
        json!({ "greeting": markup, "features": [markup], "stats": { "version": markup } });
    let hostile = json!({ "content": [], "structuredContent": hostile });
    say(&browser, &notification("tool-result", &hostile)).await;
    browser.text(&format!("//h1[.='{markup}']")).await;
    assert_eq!(browser.text("#features li").await, markup);
    assert_eq!(browser.text("#version").await, markup);
    assert_eq!(browser.script("return document.images.length").await, 0);

    let failed = json!({ "content": [{ "type": "text", "text": "It broke." }], "isError": true });
    say(&browser, &notification("tool-result", &failed)).await;
    browser.text("//p[@id='said'][contains(@class, 'failed')][.='It broke.']").await;
    say(&browser, &notification("tool-cancelled", &json!({ "reason": "enough" }))).await;
    browser.text("//p[@id='said'][.='The call was cancelled: enough']").await;

    for (method, answer) in [
        ("ping", json!({ "result": {} })),
        ("no/such", json!({ "error": { "code": -32601, "message": "Method not found: no/such" } })),
    ] {
        let mut expected = json!({ "jsonrpc": "2.0", "id": method });
        expected.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        let request = json!({ "jsonrpc": "2.0", "id": method, "method": method });
        assert_eq!(say(&browser, &request).await, expected);
    }
    let wrong = browser.complaints().await;
    // The bridge of this host asked neither.
    assert!(wrong.iter().all(|wrong| wrong.contains("unknown message ID")), "{wrong:?}");
}

fn notification(name: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": format!("ui/notifications/{name}"), "params": params })
}

/// Has the sandbox, from which the host's messages come, send one of its own to the app; the answer,
/// if it is a request.
async fn say(browser: &Chromium, message: &Value) -> Value {
    browser.leave().await;
    browser.enter("iframe").await;
    let answered = browser
        .script(&format!(
            "const message = {message};
            const answer = new Promise((resolve) => addEventListener('message', ({{ data }}) => {{
                if (data?.id === message.id && !data.method) resolve(JSON.stringify(data));
            }}));
            document.querySelector('iframe').contentWindow.postMessage(message, '*');
            return message.id === undefined ? null : answer;"
        ))
        .await;
    browser.enter("iframe").await;
    answered.as_str().map_or(Value::Null, |answer| serde_json::from_str(answer).unwrap())
}

/// Opens the host, and waits until it has shown the app.
async fn open(browser: &Chromium, server: &Server) {
    let (host, sandbox) = host().await;
    let token = SignIn::register(server).await.tokens("ada").await.access;
    let say = json!({ "server": server.url("/mcp"), "token": token, "sandbox": sandbox });
    let fragment: String =
        url::form_urlencoded::byte_serialize(say.to_string().as_bytes()).collect();
    browser.open(&format!("{host}#{}", fragment.replace('+', "%20"))).await;
    let state = browser.text("//p[@id='state'][.!='starting']").await;
    assert_eq!(state, "shown", "{:?}", browser.complaints().await);
}

/// From the host's page into the app's, through the sandbox.
async fn enter(browser: &Chromium) {
    browser.enter("iframe").await;
    browser.enter("iframe").await;
}

/// Looks at the app, with axe-core's eyes too; its background.
async fn look(browser: &Chromium, name: &str) -> String {
    let wrong = axe::violations(browser).await;
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    let folder = File::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("app-{name}.png")), browser.screenshot().await).unwrap();
    let ground = browser.script("return getComputedStyle(document.body).backgroundColor").await;
    ground.as_str().unwrap().to_owned()
}

/// A host and its sandbox, which are of two origins; their URLs.
async fn host() -> (String, String) {
    let page = Html(include_str!("apps/host.html"));
    let host =
        Router::new().route("/", get(async move || page)).route("/modules/{*path}", get(module));
    let page =
        ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(include_str!("apps/sandbox.html")));
    let sandbox = Router::new().route("/", get(async move || page));
    (serve(host).await, serve(sandbox).await)
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://127.0.0.1:{port}/")
}

/// A module of an installed package.
async fn module(Path(path): Path<String>) -> Result<impl IntoResponse, StatusCode> {
    let modules = File::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/node_modules");
    if !modules.join("@modelcontextprotocol/ext-apps").is_dir() {
        tools::missing("the bridge of MCP Apps");
    }
    let source = fs::read_to_string(modules.join(path)).map_err(|_| StatusCode::NOT_FOUND)?;
    let kind: (HeaderName, &str) = (header::CONTENT_TYPE, "text/javascript");
    Ok(([kind], source))
}
