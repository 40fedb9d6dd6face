//! Prometheus itself: it takes what the server says, gets its token, and knows what the alerts and the
//! dashboard are about.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use reqwest::Client;
use serde_json::Value;
use url::Url;

use crate::{
    it::support::{Deployment, Mcp, Server, free_port, soon},
    running::Running,
    tools::program,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/observability");

/// What `promtool` finds wrong; `given` is what it reads.
fn promtool(arguments: &[&str], given: &str) -> String {
    let mut command = Command::new(program("promtool"));
    let command = command.args(arguments).current_dir(FOLDER);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = [&output.stdout[..], &output.stderr[..]].concat();
    let told = String::from_utf8(told).unwrap();
    assert!(output.status.success(), "promtool {arguments:?}: {told}");
    told
}

#[tokio::test]
async fn promtool_has_nothing_against_what_is_told() {
    for on in [Deployment::one_in_memory(), Deployment::one_on_redis()] {
        let server = on.start();
        Mcp::of(&server, "alice").await.is_served().await;
        let text = reqwest::get(server.url("/metrics")).await.unwrap().text().await.unwrap();
        assert_eq!(promtool(&["check", "metrics"], &text), "", "it has no advice either");
    }
}

#[test]
fn each_alert_comes_when_it_should() {
    promtool(&["check", "config", "prometheus.yml"], "");
    let told = promtool(&["check", "rules", "rules.yml"], "");
    assert!(told.contains("6 rules found"), "{told}");
    promtool(&["test", "rules", "rules.test.yml"], "");
}

/// Those of the dashboard, with what Grafana puts in place of its variables.
fn expressions() -> Vec<String> {
    let path = Path::new(FOLDER).join("grafana/dashboards/mcp-everything.json");
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions = targets.map(|target| {
        let expression = target["expr"].as_str().unwrap();
        expression.replace("$instance", ".*").replace("$__rate_interval", "1m")
    });
    expressions.collect()
}

/// A Prometheus of a test's own, with the configuration that there is for operators.
struct Prometheus {
    _running: Running,
    api: String,
    http: Client,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// It asks this server, by its address and for itself.
    fn of(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["rules.yml", "prometheus.secret"] {
            fs::copy(Path::new(FOLDER).join(file), folder.path().join(file)).unwrap();
        }
        let config = fs::read_to_string(Path::new(FOLDER).join("prometheus.yml")).unwrap();
        let port = server.instances[0].port;
        let config = config
            .replace("\"one:3232\", \"two:3232\", \"three:3232\"", &format!("\"127.0.0.1:{port}\""))
            .replace("http://haproxy:3232/token", &server.url("/token"))
            .replace("http://localhost:3232", &server.base)
            .replace("_interval: 5s", "_interval: 1s");
        let file: PathBuf = folder.path().join("prometheus.yml");
        fs::write(&file, config).unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(program("prometheus"));
        command
            .current_dir(folder.path())
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={listen}"));
        let running = Running::start(&mut command);
        let http = Client::builder().no_proxy().build().unwrap();
        Self { _running: running, api: format!("http://{listen}/api/v1"), http, _folder: folder }
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        let url = Url::parse_with_params(&format!("{}{path}", self.api), query).unwrap();
        let answer = self.http.get(url).send().await.ok()?;
        answer.json().await.ok()
    }

    /// What it says of an expression, as soon as it says something.
    async fn says(&self, expression: &str) -> Value {
        let said = async {
            loop {
                let answer = self.ask("/query", &[("query", expression)]).await;
                if let Some(answer) =
                    answer.filter(|answer| answer["data"]["result"][0].is_object())
                {
                    return answer["data"]["result"].clone();
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        soon(said).await
    }
}

/// It is one of those who are not on the machine, by a setting that says so of everybody.
#[tokio::test]
async fn prometheus_gets_its_token_and_reads_all_of_it() {
    let clients = format!("{FOLDER}/clients.json");
    let on = Deployment::one_on_redis();
    let server = on.with(&[("TRUSTED_PROXIES", "127.0.0.0/8"), ("CLIENTS_FILE", &clients)]);
    Mcp::of(&server, "alice").await.is_served().await;
    let prometheus = Prometheus::of(&server);
    let up = prometheus.says("up{job=\"mcp-everything\"} == 1").await;
    assert_eq!(up[0]["value"][1], "1");
    let build = prometheus.says("mcp_build_info").await;
    assert_eq!(build[0]["metric"]["version"], env!("CARGO_PKG_VERSION"));
    let calls = prometheus.says("sum by (tool) (mcp_tool_calls_total)").await;
    assert_eq!(calls[0]["metric"]["tool"], "echo");
    for expression in expressions() {
        let answer = prometheus.ask("/query", &[("query", &expression)]).await.unwrap();
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
    }
    let rules = prometheus.ask("/rules", &[]).await.unwrap();
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap().clone();
    assert_eq!(rules.len(), 6);
    for rule in rules {
        assert_ne!(rule["health"], "err", "{rule}");
        assert_eq!(rule["state"], "inactive", "nothing is wrong: {rule}");
    }
}
