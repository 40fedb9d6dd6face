//! Chromium, driven over [WebDriver](https://www.w3.org/TR/webdriver2/).
//!
//! This is no library's work because the one that is well kept turns on a feature of `serde_json`
//! that changes how the server under test behaves: it would not be the one that users run.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{it::support::BOUND, tools};

pub(crate) const TAB: char = '\u{e004}';
pub(crate) const ENTER: char = '\u{e007}';

/// Between two attempts to use an element.
const MOMENT: Duration = Duration::from_millis(50);

/// The name that a reference to an element has in JSON (the same, section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// It must work as root, speak to nobody but the server, and leave nothing behind.
const FLAGS: [&str; 10] = [
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser. It ends with the test, also when that fails.
pub(crate) struct Chromium {
    http: Client,
    session: String,
    driver: Driver,
}

impl Chromium {
    /// A browser whose user has this folder for a profile.
    pub(crate) async fn start(profile: &Path) -> Self {
        let binary = tools::program("chromium");
        let driver = Driver::start(profile);
        let http = Client::builder().no_proxy().timeout(2 * BOUND).build().unwrap();
        let args = FLAGS.map(str::to_owned).into_iter();
        let args: Vec<_> = args.chain([format!("--user-data-dir={}", profile.display())]).collect();
        let capabilities = json!({ "alwaysMatch": {
            "goog:chromeOptions": { "binary": binary, "args": args },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "implicit": BOUND.as_millis(), "pageLoad": BOUND.as_millis() },
        }});
        let url = format!("http://127.0.0.1:{}/session", driver.port);
        let request = http.post(&url).json(&json!({ "capabilities": capabilities }));
        let answer = ask(request).await;
        let id = answer["sessionId"].as_str().unwrap();
        Self { http, session: format!("/session/{id}"), driver }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// What the address bar shows.
    pub(crate) async fn url(&self) -> String {
        string(&self.get("/url").await)
    }

    /// Clicks the element that this CSS selector finds, or this `XPath`, once it is there and can be
    /// clicked.
    pub(crate) async fn click(&self, element: &str) {
        self.act(element, "click", json!({})).await;
    }

    /// Types this into an input.
    pub(crate) async fn fill(&self, element: &str, text: &str) {
        self.act(element, "value", json!({ "text": text })).await;
    }

    async fn act(&self, element: &str, what: &str, body: Value) {
        self.with(element, what, |at| self.http.post(at).json(&body)).await;
    }

    async fn read(&self, element: &str, what: &str) -> Value {
        self.with(element, what, |at| self.http.get(at)).await
    }

    /// Asks once the element can be used: pages move, and are made anew.
    async fn with(
        &self,
        element: &str,
        what: &str,
        request: impl Fn(String) -> RequestBuilder,
    ) -> Value {
        let asking = async {
            loop {
                let found = self.find(element).await;
                match answer(request(self.at(&format!("{found}/{what}")))).await {
                    Err(error) if is_passing(&error) => tokio::time::sleep(MOMENT).await,
                    other => break other,
                }
            }
        };
        let done = timeout(BOUND, asking).await.unwrap_or_else(|_| panic!("{element} is no use"));
        done.unwrap_or_else(|error| panic!("{what} {element}: {error}"))
    }

    /// Goes on within this frame.
    pub(crate) async fn enter(&self, frame: &str) {
        let found = self.find(frame).await;
        let id = found.trim_start_matches("/element/");
        self.post("/frame", json!({ "id": { ELEMENT: id } })).await;
    }

    /// Goes on in the page, out of all frames.
    pub(crate) async fn leave(&self) {
        self.post("/frame", json!({ "id": null })).await;
    }

    /// The text of the element, as it is rendered.
    pub(crate) async fn text(&self, element: &str) -> String {
        string(&self.read(element, "text").await)
    }

    /// What stands in an input.
    pub(crate) async fn value(&self, element: &str) -> String {
        string(&self.read(element, "property/value").await)
    }

    pub(crate) async fn is_shown(&self, element: &str) -> bool {
        self.read(element, "displayed").await == true
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn press(&self, keys: impl IntoIterator<Item = char>) {
        let strokes = keys.into_iter().flat_map(|key| {
            ["keyDown", "keyUp"].map(|stroke| json!({ "type": stroke, "value": key }))
        });
        let strokes: Vec<_> = strokes.collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.post("/actions", json!({ "actions": [keyboard] })).await;
    }

    /// What a function with this body returns in the page.
    pub(crate) async fn script(&self, body: &str) -> Value {
        self.post("/execute/sync", json!({ "script": body, "args": [] })).await
    }

    /// What the console has to complain of since this was last asked: errors, warnings and what
    /// the content security policy stopped.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().unwrap().iter();
        let bad = entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        bad.map(|entry| string(&entry["message"])).collect()
    }

    /// Shows pages as a screen of this width does, in dark colours or light.
    pub(crate) async fn look(&self, width: u32, scheme: &str) {
        let screen =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
    }

    /// The whole page as a PNG file.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        let all = json!({ "captureBeyondViewport": true });
        let shot = self.devtools("Page.captureScreenshot", all).await;
        STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }

    /// What is from the top of the page to the end of this element, as a PNG file.
    pub(crate) async fn picture_down_to(&self, element: &str) -> Vec<u8> {
        let end = format!(
            "return document.querySelector(`{element}`).getBoundingClientRect().bottom
            + scrollY + 12"
        );
        let (end, wide) = (self.script(&end).await, self.script("return innerWidth").await);
        let clip = json!({ "x": 0, "y": 0, "width": wide, "height": end, "scale": 1 });
        let part = json!({ "captureBeyondViewport": true, "clip": clip });
        let shot = self.devtools("Page.captureScreenshot", part).await;
        STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }

    /// Lets the pages of an origin use the clipboard, or not, as a user does who is asked.
    pub(crate) async fn let_copy(&self, origin: &str, allowed: bool) {
        let setting = if allowed { "granted" } else { "denied" };
        for name in ["clipboard-read", "clipboard-write"] {
            let permission = json!({ "name": name });
            let params = json!({ "permission": permission, "setting": setting, "origin": origin });
            self.devtools("Browser.setPermission", params).await;
        }
    }

    /// Opens pages as a browser whose user has turned scripts off.
    pub(crate) async fn without_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    }

    async fn devtools(&self, method: &str, params: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": method, "params": params })).await
    }

    async fn find(&self, element: &str) -> String {
        let using = if element.starts_with('/') { "xpath" } else { "css selector" };
        let query = json!({ "using": using, "value": element });
        let found = self.post("/element", query).await;
        format!("/element/{}", string(&found[ELEMENT]))
    }

    async fn get(&self, command: &str) -> Value {
        ask(self.http.get(self.at(command))).await
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        ask(self.http.post(self.at(command)).json(&body)).await
    }

    fn at(&self, command: &str) -> String {
        format!("http://127.0.0.1:{}{}{command}", self.driver.port, self.session)
    }
}

impl Drop for Chromium {
    /// Closes the browser as a user does, so that it writes its profile.
    fn drop(&mut self) {
        let Ok(mut driver) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.driver.port)) else {
            return;
        };
        let _ = driver.set_read_timeout(Some(BOUND));
        let _ = write!(driver, "DELETE {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", self.session);
        // The answer comes when the browser is closed.
        let _ = BufReader::new(driver).read_line(&mut String::new());
    }
}

async fn ask(request: RequestBuilder) -> Value {
    answer(request).await.unwrap_or_else(|error| panic!("chromedriver: {}", error["message"]))
}

/// What chromedriver answers; else, why not.
async fn answer(request: RequestBuilder) -> Result<Value, Value> {
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let value = answer["value"].clone();
    if value["error"].is_null() { Ok(value) } else { Err(value) }
}

/// Whether the element may be of use a moment later.
fn is_passing(error: &Value) -> bool {
    let passing =
        ["element not interactable", "element click intercepted", "stale element reference"];
    error["error"].as_str().is_some_and(|error| passing.contains(&error))
}

fn string(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A chromedriver of the test's own.
struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    fn start(home: &Path) -> Self {
        let mut child = Command::new(tools::program("chromedriver"))
            .arg("--port=0")
            .env("HOME", home)
            .env("TMPDIR", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut driver = Self { child, port: 0 };
        let said = "started successfully on port ";
        let mut lines = stdout.lines().map_while(Result::ok);
        let port = lines.find_map(|line| Some(line.split_once(said)?.1.trim_matches('.').parse()));
        driver.port = port.expect("chromedriver names its port").unwrap();
        driver
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
