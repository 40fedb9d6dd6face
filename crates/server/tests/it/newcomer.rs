//! The first minutes: what is said at the start, what a browser is shown, and what is said when
//! something is not as it should be.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, AuthServer, Deployment, Mcp, Server, binary, free_port, rows::client,
};

/// What a browser sends that opens a URL.
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

async fn visit(url: String) -> Answer {
    Answer::of(client().get(url).header("accept", ACCEPT).send().await.unwrap()).await
}

#[track_caller]
fn page(answer: &Answer) -> &str {
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8", "{answer:?}");
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    answer.body.as_str().unwrap()
}

#[tokio::test]
async fn a_browser_is_shown_what_is_for_programs() {
    for (server, status) in [(Server::start(), 401), (Server::open(), 400)] {
        let program = Answer::of(client().get(server.url("/mcp")).send().await.unwrap()).await;
        assert_eq!(program.status, status);
        assert!(program.body["error"].is_string() || program.body["error"]["code"].is_i64());
        let person = visit(server.url("/mcp")).await;
        assert_eq!(person.status, status, "the protocol's answer is the same");
        let said = page(&person);
        assert!(said.contains("This is for programs") && said.contains("href=\"/\""), "{said}");
        let vary = person.headers.get_all("vary").iter();
        assert!(vary.into_iter().any(|value| value == "accept"), "{:?}", person.headers);
        for (name, value) in &program.headers {
            let of_body = ["content-type", "content-length", "content-security-policy", "vary"];
            if of_body.contains(&name.as_str()) || matches!(name.as_str(), "date" | "x-request-id")
            {
                continue;
            }
            let values = person.headers.get_all(name).iter().any(|other| other == value);
            assert!(values || name == "cache-control", "{name}: {value:?} {:?}", person.headers);
        }
    }
}

#[tokio::test]
async fn every_path_that_is_named_is_there() {
    for server in [Server::start(), Server::open()] {
        every_path_is_there(&server.base).await;
    }
    let server = Deployment::separate_in_memory().start();
    every_path_is_there(&server.base).await;
    every_path_is_there(server.issuer()).await;
}

/// Whether it is the whole truth is asked of `headers.rs`, which knows every route.
async fn every_path_is_there(base: &str) {
    let http = client();
    let unknown = http.get(format!("{base}/no/such/path")).send().await.unwrap();
    let unknown = Answer::of(unknown).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let named = unknown.body["endpoints"].as_object().unwrap();
    assert!(named.len() > 4, "{named:?}");
    let shown = visit(format!("{base}/")).await;
    let shown = page(&shown);
    for (path, what) in named {
        assert!(shown.contains(&format!("<code>{path}</code>")), "{path} is on the page");
        assert!(shown.contains(what.as_str().unwrap()), "{path} is explained");
        let mut statuses = Vec::new();
        for method in [Method::GET, Method::POST] {
            let answer = http.request(method, format!("{base}{path}")).send().await.unwrap();
            statuses.push(answer.status());
        }
        assert!(!statuses.contains(&StatusCode::NOT_FOUND), "{path}: {statuses:?}");
        let is_link = shown.contains(&format!("href=\"{path}\""));
        assert!(!is_link || statuses[0].is_success(), "{path} can be opened: {statuses:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_names_those_that_are() {
    let server = Server::start();
    let answer = visit(server.url("/no/such/path")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let said = page(&answer);
    assert!(said.contains("There is nothing here") && said.contains("/mcp"), "{said}");
    let answer = visit(server.url("/token")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page(&answer).contains("GET is not allowed"), "{answer:?}");
}

#[tokio::test]
async fn a_name_that_is_not_allowed_is_told_which_setting_allows_it() {
    let server = Server::open();
    for (header, value, path, setting) in [
        ("host", "mcp.example.com", "/", "ALLOWED_HOSTS"),
        ("host", "mcp.example.com", "/mcp", "ALLOWED_HOSTS"),
        ("origin", "https://app.example.com", "/mcp", "ALLOWED_ORIGINS"),
    ] {
        let request = client().post(server.url(path)).header(header, value);
        let answer = Answer::of(request.json(&json!({})).send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.to_string().contains(setting), "{answer:?}");
        let logged = server.logged_where(|line| {
            line[header] == value && line["message"].as_str().unwrap().contains(setting)
        });
        assert!(logged.is_some(), "{setting}");
    }
}

#[tokio::test]
async fn the_page_says_how_to_sign_in_in_each_mode() {
    let separate = Deployment::separate_in_memory().start();
    let provider = [
        ("UPSTREAM_ISSUER", "https://login.example.com"),
        ("UPSTREAM_CLIENT_ID", "me"),
        ("UPSTREAM_CLIENT_SECRET", "a-secret-of-a-test"),
    ];
    for (server, says, says_not) in [
        (&Server::start(), "Any user id will do", "anonymous"),
        (&Server::open(), "Authentication is off", "/account"),
        (&separate, separate.issuer(), "/account"),
        (&Server::with(&provider), "login.example.com", "Any user id"),
    ] {
        let answer = visit(server.url("/")).await;
        let page = page(&answer);
        assert!(page.contains(says) && !page.contains(says_not), "{says}, not {says_not}: {page}");
        let endpoint = server.url("/mcp");
        for said in [
            format!("--transport http --server-url {endpoint}<"),
            format!("claude mcp add --transport http mcp-everything {endpoint}<"),
            "code --add-mcp ".to_owned(),
            "vscode:mcp/install?".to_owned(),
            "cursor://anysphere.cursor-deeplink/mcp/install?".to_owned(),
            "toggleSimulatedLogging".to_owned(),
            "Everything is kept in memory".to_owned(),
        ] {
            assert!(page.contains(&said), "{said} in {page}");
        }
        assert_eq!(page.contains("TOKEN"), says != "Authentication is off");
    }
}

/// A path before every other, as behind a proxy that takes it away.
#[tokio::test]
async fn every_url_is_made_from_the_public_one() {
    let server = Server::with(&[("BASE_URI", "https://mcp.example.com/tools")]);
    let port = server.instances[0].port;
    let answer = visit(format!("http://localhost:{port}/")).await;
    let page = page(&answer);
    assert!(page.contains(
        "claude mcp add --transport http mcp-everything https://mcp.example.com/tools/mcp<"
    ));
    for link in page.split("href=\"/").skip(1).chain(page.split("src=\"/").skip(1)) {
        assert!(link.starts_with("tools/"), "{}", &link[..40]);
    }
    assert!(!page.contains("localhost"), "{page}");
}

#[tokio::test]
async fn the_authorization_server_alone_has_a_page() {
    let log = std::sync::Arc::default();
    let server = AuthServer::start(0, &[], &log);
    let answer = visit(format!("{}/", server.issuer)).await;
    let page = page(&answer);
    assert!(page.contains("Authorization server") && page.contains(&server.issuer), "{page}");
    assert!(!page.contains("<code>/mcp</code>"), "{page}");
}

#[tokio::test]
async fn pages_have_an_icon() {
    let server = Server::start();
    let icon = client().get(server.url("/favicon.ico")).send().await.unwrap();
    assert_eq!(icon.headers()["content-type"], "image/png");
    assert!(icon.bytes().await.unwrap().starts_with(b"\x89PNG"));
    let sign_in = visit(server.url("/fakeupstreamauth/authorize")).await;
    for answer in [visit(server.url("/")).await, sign_in] {
        let page = answer.body.as_str().unwrap();
        assert!(page.contains("href=\"/favicon.ico\""), "{page}");
    }
}

/// Somebody at a terminal, and what they read there.
struct Terminal {
    child: Child,
    said: BufReader<ChildStdout>,
    _home: tempfile::TempDir,
}

impl Terminal {
    fn start(command: &str, settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = binary()
            .arg(command)
            .current_dir(home.path())
            .envs([("PORT", "0"), ("LOG_FORMAT", "pretty")])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said, _home: home }
    }

    /// What it says, as far as a line with this in it.
    fn until(&mut self, last: &str) -> String {
        let mut all = String::new();
        while !all.lines().next_back().is_some_and(|line| line.contains(last)) {
            assert_ne!(self.said.read_line(&mut all).unwrap(), 0, "no {last} in {all}");
        }
        all
    }

    /// Presses Ctrl-C; what is said then, to the end.
    fn interrupt(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let rest = std::io::read_to_string(&mut self.said).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_terminal_is_told_what_to_do_next_and_goodbye() {
    let mut terminal = Terminal::start("serve", &[]);
    let said = terminal.until("Ctrl-C");
    let endpoint = said.split_whitespace().find(|word| word.ends_with("/mcp")).unwrap().to_owned();
    assert_eq!(client().get(&endpoint).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let inspector =
        format!("npx -y @modelcontextprotocol/inspector --transport http --server-url {endpoint}");
    assert!(said.contains(&inspector), "{said}");
    assert!(!said.contains("server.started"), "it is said once: {said}");

    // The command that it names works as it stands.
    let login = said.lines().find(|line| line.contains(" login ")).unwrap().trim();
    let output = Command::new("sh").args(["-c", login]).output().unwrap();
    assert!(output.status.success(), "{login}: {}", String::from_utf8_lossy(&output.stderr));
    let token = String::from_utf8(output.stdout).unwrap();
    let answer = client().get(&endpoint).bearer_auth(token.trim()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "it wants a session");

    let last = terminal.interrupt();
    let last: Vec<_> =
        last.lines().filter(|line| line.contains("oodbye") || line.contains("stop")).collect();
    assert_eq!(last, ["Goodbye. What was in memory is gone."]);
}

#[test]
fn both_servers_in_one_terminal_are_told_of_once() {
    let port = free_port().to_string();
    let mut terminal = Terminal::start("dev", &[("AUTH_SERVER_PORT", &port)]);
    let said = terminal.until("Ctrl-C");
    assert_eq!(said.matches("is ready.").count(), 1, "{said}");
    assert!(said.contains(&format!("http://localhost:{port}, in this process")), "{said}");
    assert!(terminal.interrupt().contains("Goodbye."));
}

#[test]
fn what_cannot_start_is_said_once_on_a_terminal() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = binary().envs([("PORT", &*port), ("LOG_FORMAT", "pretty")]).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("it is in use; stop what runs there") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn what_is_most_likely_not_meant_is_in_the_log() {
    let elsewhere = Server::with(&[("BASE_URI", "http://localhost:1")]);
    let hint = elsewhere.logged("config.hint");
    assert!(hint["message"].as_str().unwrap().contains("do not find this server"), "{hint}");
    let unknown = Server::with(&[("BASE_URL", "http://localhost:1")]).logged("config.unknown");
    assert!(unknown["message"].as_str().unwrap().contains("BASE_URI is one"), "{unknown}");
}

/// Calls still run when Ctrl-C is pressed.
#[tokio::test]
async fn whoever_waits_for_the_end_learns_why() {
    let server = Server::with(&[("AUTH_MODE", "none"), ("DRAIN_TIMEOUT", "30s")]);
    let client = Mcp::anonymous(&server).await;
    let operation = json!({ "duration": 3600, "steps": 1 });
    let call = json!({
        "jsonrpc": "2.0", "id": 5, "method": "tools/call",
        "params": { "name": "longRunningOperation", "arguments": operation }
    });
    let _calling = client.send(&call).await;
    server.signal("-INT");
    let told = server.logged("server.draining");
    assert!(told["message"].as_str().unwrap().contains("second signal"), "{told}");
    server.signal("-INT");
    server.logged("server.killed");
}

#[test]
fn the_dev_container_has_what_the_tests_need() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.devcontainer/devcontainer.json");
    let described: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let image = described["image"].as_str().unwrap();
    assert!(image.starts_with("rust:1-"), "{image}");
    let made = described["postCreateCommand"].as_str().unwrap();
    let makefile = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Makefile"));
    let target = made.strip_prefix("make ").unwrap();
    assert!(makefile.unwrap().lines().any(|line| line.starts_with(&format!("{target}:"))));
    let ports = described["forwardPorts"].as_array().unwrap();
    for port in ports {
        let what = &described["portsAttributes"][port.to_string()]["label"];
        assert!(what.is_string(), "{port}");
    }
    for port in [3232, 3001, 6274] {
        assert!(ports.contains(&port.into()), "{port}");
    }
}
