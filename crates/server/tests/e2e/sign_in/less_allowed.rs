//! A client that has a token for less than it needs asks the user for more (RFC 6750 section 3.1).

use std::path::Path;

use serde_json::{Value, json};

use super::{Client, HTTP, MODERN, Transport, User, kept, python_sdk, typescript_sdk};
use crate::it::support::{Server, SignIn};

/// What a client keeps that was allowed to read only.
async fn reads_only(server: &Server, user: &str) -> Value {
    let sign_in = SignIn { scope: Some("mcp:read"), ..SignIn::register(server).await };
    let tokens = sign_in.tokens(user).await;
    json!({
        "client": {
            "client_id": tokens.client_id,
            "redirect_uris": [sign_in.redirect_uri],
            "token_endpoint_auth_method": "none",
        },
        "tokens": {
            "access_token": tokens.access,
            "refresh_token": tokens.refresh,
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "mcp:read",
        },
    })
}

fn keep(home: &Path, what: &Value) {
    std::fs::write(kept(home), what.to_string()).unwrap();
}

async fn asks_for_more(client: Client, transport: &Transport) {
    let server = Server::start();
    let mut user = User::at_a_desktop().await;
    user.is("alice", &server.url("/")).await;
    let home = tempfile::tempdir().unwrap();
    keep(home.path(), &reads_only(&server, "alice").await);
    let told = user.runs(&mut client.of(transport, &server.url(transport.path), home.path())).await;
    told.is_ok();
    assert_eq!(user.asked, 1, "the user is asked for more");
    assert_eq!(told.told("scopes"), "mcp:read mcp:tools");
    assert_eq!(told.told("user"), "alice");
}

/// Where it has a refresh token it refreshes, which gives the same scope, and gives up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typescript_sdk_1_asks_for_more_without_a_refresh_token_only() {
    let server = Server::start();
    let mut user = User::at_a_desktop().await;
    user.is("alice", &server.url("/")).await;
    let home = tempfile::tempdir().unwrap();
    let mut command = typescript_sdk("1").of(&HTTP, &server.url("/mcp"), home.path());
    let mut has = reads_only(&server, "alice").await;
    keep(home.path(), &has);
    user.runs(&mut command).await.complains("Server returned 403 after trying upscoping");
    assert_eq!(user.asked, 0);

    has["tokens"].as_object_mut().unwrap().remove("refresh_token");
    keep(home.path(), &has);
    user.runs(&mut command).await.is_ok();
    assert_eq!(user.asked, 1, "the user is asked for more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typescript_sdk_2_asks_for_more() {
    asks_for_more(typescript_sdk("2"), &HTTP).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typescript_sdk_2_asks_for_more_without_a_session() {
    asks_for_more(typescript_sdk("2"), &MODERN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_sdk_1_asks_for_more() {
    asks_for_more(python_sdk("1"), &HTTP).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_sdk_2_asks_for_more() {
    asks_for_more(python_sdk("2"), &HTTP).await;
}
