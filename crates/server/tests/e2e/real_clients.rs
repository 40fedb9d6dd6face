//! The official SDKs through `HAProxy`, over three instances: they know nothing of each other.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use mcp_everything_store::contract::redis_server::RedisServer;
use tokio::time::Instant;

use crate::{
    haproxy::Haproxy,
    it::support::{Server, SignIn},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/clients");

/// Runs a client on each transport. Every instance answers some of what it asks on each.
async fn use_everything(program: PathBuf, arguments: &[&str]) {
    let (redis, haproxy) = (RedisServer::start(), Haproxy::start());
    let settings = [("REDIS_URL", &*redis.url()), ("CONFORMANCE", "on")];
    let server = Server::behind(&haproxy.base(), &haproxy.instances, &settings);
    haproxy.until_it_serves(0..3);
    let token = SignIn::register(&server).await.tokens("alice").await.access;
    for (kind, path, posts) in [("http", "/mcp", "/mcp"), ("sse", "/sse", "/message")] {
        let began = Instant::now();
        let mut client = Command::new(&program);
        let output = run(client.args(arguments).args([kind, &server.url(path), &token]));
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.trim(), "ok", "{kind}: {complained}");
        let answered = answered(&server, posts);
        println!("{kind}: {:?}, requests answered by each: {answered:?}", began.elapsed());
        assert!(answered.iter().all(|count| *count > 0));
    }
}

fn answered(server: &Server, path: &str) -> [usize; 3] {
    let lines = server.log.lines();
    [0, 1, 2].map(|number| {
        let of_it = lines.iter().filter(|line| line.of(number, "http.response"));
        of_it.filter(|line| line["path"] == path).count()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_sdk() {
    let modules = format!("{ROOT}/tools/node_modules");
    let script = format!("{CLIENTS}/sdk.mjs");
    use_everything(format!("{ROOT}/tools/node").into(), &[&script, &modules]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdk() {
    let script = format!("{CLIENTS}/sdk.py");
    use_everything(format!("{ROOT}/tools/python/mcp-1/bin/python").into(), &[&script]).await;
}

fn run(command: &mut Command) -> Output {
    tokio::task::block_in_place(|| command.stdin(Stdio::null()).output().unwrap())
}
