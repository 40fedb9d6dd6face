//! A server that keeps everything in memory has forgotten its clients when it is started again. They
//! come back with what it gave them.

use super::{Client, HTTP, User, fastmcp, kept, mcp_remote, python_sdk, typescript_sdk};
use crate::it::support::{Server, server::free_port};

/// A server that has the same port when it is started again.
fn server() -> Server {
    let port = free_port().to_string();
    Server::with(&[("PORT", &port)])
}

/// The client registers again by itself, and asks the user.
async fn registers_again(client: Client) {
    let mut server = server();
    let mut user = User::at_a_desktop().await;
    let home = tempfile::tempdir().unwrap();
    let mut command = client.of(&HTTP, &server.url("/mcp"), home.path());
    user.runs(&mut command).await.is_ok();
    server.instances[0].restart();
    user.runs(&mut command).await.is_ok();
    assert_eq!(user.asked, 2, "the user is asked once more");
}

/// The client sends the user to a page that says what to do, and works once that is done.
async fn is_set_up_anew(client: Client) {
    let mut server = server();
    let mut user = User::at_a_desktop().await;
    let home = tempfile::tempdir().unwrap();
    let mut command = client.of(&HTTP, &server.url("/mcp"), home.path());
    user.runs(&mut command).await.is_ok();
    server.instances[0].restart();
    user.runs(&mut command).await;
    let said = user.refused.take().expect("the page says so");
    assert!(said.contains("not registered") && said.contains("add it again"), "{said}");
    std::fs::remove_file(kept(home.path())).unwrap();
    user.runs(&mut command).await.is_ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typescript_sdk_1_registers_again() {
    registers_again(typescript_sdk("1")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typescript_sdk_2_registers_again() {
    registers_again(typescript_sdk("2")).await;
}

/// It looks whether the page is one that refuses, before it shows it to the user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fastmcp_registers_again() {
    registers_again(fastmcp()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mcp_remote_registers_again() {
    let mut server = server();
    let mut user = User::at_a_desktop().await;
    let home = tempfile::tempdir().unwrap();
    let url = server.url("/mcp");
    mcp_remote::is_used(&mut user, &url, &[], home.path()).await;
    server.instances[0].restart();
    mcp_remote::is_used(&mut user, &url, &[], home.path()).await;
    assert_eq!(user.asked, 2, "the user is asked once more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_sdk_1_is_set_up_anew() {
    is_set_up_anew(python_sdk("1")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_sdk_2_is_set_up_anew() {
    is_set_up_anew(python_sdk("2")).await;
}
