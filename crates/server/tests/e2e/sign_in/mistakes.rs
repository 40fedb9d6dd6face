//! What is easily mistaken in a server's URL, and what clients say then.

use super::{Client, HTTP, User, fastmcp, python_sdk, typescript_sdk};
use crate::it::support::{Server, server::free_port};

fn clients() -> [(&'static str, Client); 5] {
    [
        ("TypeScript 1", typescript_sdk("1")),
        ("TypeScript 2", typescript_sdk("2")),
        ("Python 1", python_sdk("1")),
        ("Python 2", python_sdk("2")),
        ("FastMCP", fastmcp()),
    ]
}

/// What each client says of a wrong URL, without asking the user.
async fn they_say(url: &str, reasons: [&str; 5]) {
    let mut user = User::at_a_desktop().await;
    for ((name, client), reason) in clients().into_iter().zip(reasons) {
        let home = tempfile::tempdir().unwrap();
        let told = user.runs(&mut client.of(&HTTP, url, home.path())).await;
        assert_eq!(user.asked, 0, "{name} asks the user");
        told.complains(reason);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_port() {
    let url = format!("http://localhost:{}/mcp", free_port());
    let failed = "All connection attempts failed";
    they_say(&url, ["ECONNREFUSED", "ECONNREFUSED", failed, failed, failed]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_where_there_is_none() {
    let server = Server::start();
    let url = server.url("/mcp").replace("http:", "https:");
    let reason = "wrong version number";
    they_say(&url, [reason; 5]).await;
}

/// A token is for a URL, and these are two: `BASE_URI` is the one that counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_name_of_the_same_machine() {
    let server = Server::start();
    let right = server.url("/mcp");
    let url = right.replace("localhost", "127.0.0.1");
    let reason = format!("Protected resource {right} does not match expected {url}");
    they_say(&url, [&reason; 5]).await;
}

/// It means nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slash_at_the_end() {
    let server = Server::start();
    let mut user = User::at_a_desktop().await;
    for (name, client) in clients() {
        let home = tempfile::tempdir().unwrap();
        let before = user.asked;
        user.runs(&mut client.of(&HTTP, &server.url("/mcp/"), home.path())).await.is_ok();
        assert_eq!(user.asked, before + 1, "{name}");
    }
}
