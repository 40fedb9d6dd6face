//! nginx and Caddy, as `deploy/` configures them, before three instances.

use std::{fs, path::Path, process::Command};

use mcp_everything_store::contract::redis_server::RedisServer;
use reqwest::Client;
use serde_json::{Value, json};

use super::{read, said};
use crate::{
    it::support::{Mcp, Server, Stream, call, free_port, soon},
    running::Running,
    tools::program,
};

/// The addresses of instances in the files.
const INSTANCES: [&str; 3] = ["127.0.0.1:3233", "127.0.0.1:3234", "127.0.0.1:3235"];

/// A proxy, which ends with the test, before instances that may be started now.
struct Proxy {
    _running: Running,
    _folder: tempfile::TempDir,
    base: String,
    instances: [u16; 3],
}

/// The file with these ports in place of its own.
fn with_instances(file: &str, ports: [u16; 3]) -> String {
    let pairs = INSTANCES.into_iter().zip(ports);
    pairs.fold(read(file), |text, (there, port)| {
        replaced(&text, there, &format!("127.0.0.1:{port}"))
    })
}

/// The text with one thing, which is there once, in place of another.
#[track_caller]
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

/// A configuration of nginx that has this in its `http` block, and keeps to a folder.
fn nginx_around(server: &str, folder: &Path) -> Command {
    let server_file = folder.join("server.conf");
    fs::write(&server_file, server).unwrap();
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = paths.map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()));
    let text = format!(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\n{1}access_log off;\ninclude {2};\n}}\n",
        folder.display(),
        paths.concat(),
        server_file.display()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, text).unwrap();
    let mut command = Command::new(program("nginx"));
    command.arg("-p").arg(folder).arg("-e").arg("stderr").arg("-c").arg(file);
    command
}

const NGINX: &str = "deploy/nginx.conf";
const LISTEN: &str = "listen 443 ssl http2;";

fn nginx() -> Proxy {
    let (port, instances) = (free_port(), [free_port(), free_port(), free_port()]);
    let text = with_instances(NGINX, instances);
    // Clients of the tests do not know who signed its certificate.
    let text = replaced(&text, LISTEN, &format!("listen 127.0.0.1:{port};"));
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("ssl_certificate"));
    let folder = tempfile::tempdir().unwrap();
    let mut command = nginx_around(&lines.collect::<Vec<_>>().join("\n"), folder.path());
    let running = Running::start(&mut command);
    Proxy {
        _running: running,
        _folder: folder,
        base: format!("http://127.0.0.1:{port}"),
        instances,
    }
}

const CADDY: &str = "deploy/Caddyfile";

fn caddy() -> Proxy {
    let (port, instances) = (free_port(), [free_port(), free_port(), free_port()]);
    let text = with_instances(CADDY, instances);
    let base = format!("http://127.0.0.1:{port}");
    let text = replaced(&text, "\nmcp.example.com {", &format!("\n{base} {{"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Caddyfile");
    fs::write(&file, format!("{{\n\tadmin off\n}}\n{text}")).unwrap();
    let mut command = Command::new(program("caddy"));
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    command.env_clear().env("HOME", folder.path());
    let running = Running::start(&mut command);
    Proxy { _running: running, _folder: folder, base, instances }
}

#[test]
fn nginx_accepts_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
    let mut openssl = Command::new(program("openssl"));
    openssl.args(["req", "-x509", "-nodes", "-days", "1", "-newkey", "ec", "-subj", "/CN=test"]);
    openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    said(openssl.arg("-out").arg(&certificate).arg("-keyout").arg(&key));
    let text =
        replaced(&read(NGINX), LISTEN, &format!("listen 127.0.0.1:{} ssl http2;", free_port()));
    let text = replaced(&text, "/etc/ssl/mcp.example.com.pem", certificate.to_str().unwrap());
    let text = replaced(&text, "/etc/ssl/mcp.example.com.key", key.to_str().unwrap());
    said(nginx_around(&text, folder.path()).arg("-t"));
}

#[test]
fn caddy_accepts_its_file() {
    let home = tempfile::tempdir().unwrap();
    let mut caddy = Command::new(program("caddy"));
    caddy.args(["validate", "--adapter", "caddyfile", "--config"]).arg(super::path(CADDY));
    said(caddy.env_clear().env("HOME", home.path()));
}

#[tokio::test]
async fn clients_are_served_behind_nginx() {
    are_served(nginx()).await;
}

#[tokio::test]
async fn clients_are_served_behind_caddy() {
    are_served(caddy()).await;
}

async fn are_served(proxy: Proxy) {
    let redis = RedisServer::start();
    let settings = [
        ("REDIS_URL", &*redis.url()),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        // What it is where nothing is set: long enough to be seen.
        ("DRAIN_DELAY", "1s"),
    ];
    let mut server = Server::behind(&proxy.base, &proxy.instances, &settings);
    until_all_answer(&server).await;
    let client = Mcp::of(&server, "ada").await;

    // Events come as they are sent: the tool goes on when its question was seen and answered.
    let mut open = Stream::of(client.get(None).await);
    let mut asking =
        Stream::of(client.send(&call(7, "sampleLLM", &json!({ "prompt": "hi" }))).await);
    let question = asking.until("sampling/createMessage").await;
    let text = json!({ "type": "text", "text": "said by the client" });
    let answer = json!({
        "jsonrpc": "2.0", "id": question["id"],
        "result": { "role": "assistant", "model": "m", "content": text }
    });
    assert_eq!(client.post(&answer).await.status, 202);
    assert!(asking.last().await["result"].to_string().contains("said by the client"));

    // What was open before is still open, and hears of what happens.
    assert_eq!(client.call("toggleDynamicTool", json!({})).await.status, 200);
    open.until("notifications/tools/list_changed").await;

    // The largest message that the server takes comes through.
    let padding = "x".repeat(4 * 1024 * 1024 - 256);
    let ping = json!({
        "jsonrpc": "2.0", "id": 8, "method": "ping", "params": { "_meta": { "x": padding } }
    });
    assert_eq!(client.post(&ping).await.body["result"], json!({}));

    // Who asked is known.
    let elsewhere = [127, 0, 0, 9].into();
    let other = Client::builder().no_proxy().local_address(Some(elsewhere)).build().unwrap();
    soon(other.get(server.url("/account")).send()).await.unwrap();
    let is_it = |line: &Value| line["event"] == "http.response" && line["path"] == "/account";
    assert_eq!(server.logged_where(is_it).unwrap()["address"], "127.0.0.9");

    // Nobody misses an instance that leaves, or one that is gone.
    server.instances[0].signal("-TERM");
    while server.instances[0].is_running() {
        client.is_served().await;
    }
    assert!(server.instances[0].wait().success());
    for _ in 0..6 {
        client.is_served().await;
    }
    assert!(client.delete().await.status.is_success());
}

/// The proxy has seen that the instances are there, and asks them in turn.
async fn until_all_answer(server: &Server) {
    let seen = async {
        let mut answered = std::collections::HashSet::new();
        while answered.len() < server.instances.len() {
            let _ = reqwest::get(server.url("/.well-known/oauth-protected-resource")).await;
            let lines = server.log.lines();
            let asked = lines.iter().filter(|line| line["event"] == "http.response");
            answered = asked.map(|line| line.instance).collect();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    soon(seen).await;
}
