//! A real identity provider in place of the fake one: what it does to the whole server.

use std::collections::HashMap;

use axum::{
    Form, Json, Router,
    extract::Query,
    http::HeaderMap,
    response::{Html, Redirect},
    routing::{get, post},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Deployment, Server, SignIn, binary, sign_in::forms};

on_every_deployment!(
    users_of_a_provider_like_github_sign_in,
    the_fake_provider_is_gone_where_a_real_one_is_set,
);

type Fields = HashMap<String, String>;

/// A provider of the shape of GitHub's, whose user is always the same. It does not wait to be asked
/// for an end: it ends with the test.
async fn github() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/login/oauth/authorize", get(authorize))
        .route("/login/oauth/access_token", post(access_token))
        .route("/user", get(user));
    tokio::spawn(async { axum::serve(listener, router).await });
    base
}

async fn authorize(Query(asked): Query<Fields>) -> Redirect {
    assert_eq!(asked["code_challenge_method"], "S256");
    let back = format!("{}?code=good&state={}", asked["redirect_uri"], asked["state"]);
    Redirect::to(&back)
}

/// Errors have the status 200.
async fn access_token(headers: HeaderMap, Form(asked): Form<Fields>) -> Json<Value> {
    assert_eq!(headers["accept"], "application/json");
    let is_good = asked["code"] == "good" && asked["client_secret"] == "hush";
    Json(if is_good && asked.contains_key("code_verifier") {
        json!({ "access_token": "gho_secret", "scope": "", "token_type": "bearer" })
    } else {
        json!({ "error": "incorrect_client_credentials" })
    })
}

async fn user(headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let is_known = headers["authorization"] == "Bearer gho_secret";
    let user = json!({ "login": "octocat", "id": 583_231 });
    if is_known && headers.contains_key("user-agent") {
        Ok(Json(user))
    } else {
        Err(StatusCode::FORBIDDEN)
    }
}

/// The server where that provider says who users are.
fn with(on: &Deployment, github: &str, secret: &str) -> Server {
    let url = |path| format!("{github}{path}");
    on.with(&[
        ("UPSTREAM_AUTHORIZE_URL", &url("/login/oauth/authorize")),
        ("UPSTREAM_TOKEN_URL", &url("/login/oauth/access_token")),
        ("UPSTREAM_USERINFO_URL", &url("/user")),
        ("UPSTREAM_CLIENT_ID", "us"),
        ("UPSTREAM_CLIENT_SECRET", secret),
    ])
}

async fn users_of_a_provider_like_github_sign_in(on: &Deployment) {
    let github = github().await;
    let server = with(on, &github, "hush");
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("nobody asks").await;
    let form = [("token", tokens.access.as_str()), ("client_id", tokens.client_id.as_str())];
    let told = sign_in.browser.http.post(server.url("/introspect")).form(&form).send().await;
    let told: Value = told.unwrap().json().await.unwrap();
    assert_eq!(told["sub"], format!("{github}/user#583231"));
    for line in server.log() {
        assert!(!line.to_string().contains("gho_secret"), "{line}");
    }
}

async fn the_fake_provider_is_gone_where_a_real_one_is_set(on: &Deployment) {
    let server = with(on, "http://127.0.0.1:9", "hush");
    let sign_in = SignIn::register(&server).await;
    for path in ["authorize", "redirect", "callback"] {
        let path = format!("/fakeupstreamauth/{path}?state=x&userId=alice");
        let absent = sign_in.browser.get(&server.url(&path)).await;
        assert_eq!(absent.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for query in ["", "?code=good", "?state=x&code=good"] {
        let path = format!("/upstream/callback{query}");
        let refused = sign_in.browser.get(&server.url(&path)).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{path}");
        assert!(refused.text().await.unwrap().contains("has ended"), "{path}");
    }
}

#[tokio::test]
async fn a_provider_that_does_not_take_this_server_is_told_to_people() {
    let github = github().await;
    let server = with(&Deployment::one_in_memory(), &github, "another");
    let sign_in = SignIn::register(&server).await;
    let url = sign_in.authorization_url();
    let consent = sign_in.browser.get(url.as_str()).await.text().await.unwrap();
    let form = forms(&consent).swap_remove(0);
    let mut answer = sign_in.browser.submit(&url, &form).await;
    while answer.status().is_redirection() {
        let next = answer.headers()["location"].to_str().unwrap();
        answer = sign_in.browser.get(next).await;
    }
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(answer.text().await.unwrap().contains("Tell whoever runs this server"));
    let line = server.logged("auth.upstream.failed");
    assert!(line["reason"].as_str().unwrap().contains("incorrect_client_credentials"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_in_place_of_metadata_is_told_to_people() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(async || Html("<p>Under construction"));
    tokio::spawn(async { axum::serve(listener, router).await });
    let server = Server::with(&[
        ("UPSTREAM_ISSUER", &issuer),
        ("UPSTREAM_CLIENT_ID", "us"),
        ("UPSTREAM_CLIENT_SECRET", "hush"),
    ]);
    server.logged("auth.upstream.failed");
    let sign_in = SignIn::register(&server).await;
    let url = sign_in.authorization_url();
    let consent = sign_in.browser.get(url.as_str()).await.text().await.unwrap();
    let form = forms(&consent).swap_remove(0);
    let answer = sign_in.browser.submit(&url, &form).await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn login_says_that_it_is_for_the_fake_provider() {
    let server = with(&Deployment::one_in_memory(), "http://127.0.0.1:9", "hush");
    let output = binary().args(["login", "--server", &server.base]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("users sign in at 127.0.0.1"), "{said}");
    assert_eq!(output.stdout, b"");
}

#[test]
fn check_config_shows_the_provider_without_its_secret() {
    let settings = [
        ("UPSTREAM_ISSUER", "https://login.example.com/"),
        ("UPSTREAM_CLIENT_ID", "us"),
        ("UPSTREAM_CLIENT_SECRET", "hush"),
    ];
    let output = binary().arg("check-config").envs(settings).output().unwrap();
    assert!(output.status.success());
    let shown = String::from_utf8(output.stdout).unwrap();
    for line in [
        "UPSTREAM_ISSUER=https://login.example.com/",
        "UPSTREAM_CLIENT_ID=us",
        "UPSTREAM_CLIENT_SECRET=********",
        "UPSTREAM_SCOPE=openid",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
    }
    let output = binary().arg("check-config").envs(settings[..2].iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("UPSTREAM_CLIENT_SECRET is not set"), "{told}");
}
