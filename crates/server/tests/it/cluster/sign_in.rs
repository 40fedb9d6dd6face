//! Signing in at one instance is signing in at all.

use http::StatusCode;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Deployment, Mcp, Server, SignIn, VERIFIER};

async fn redeem(sign_in: &SignIn<'_>, server: &Server, instance: usize, code: &str) -> Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &sign_in.redirect_uri),
        ("client_id", &sign_in.client_id),
        ("code_verifier", VERIFIER),
    ];
    post(sign_in, server, instance, "/token", &form).await
}

async fn post(
    sign_in: &SignIn<'_>,
    server: &Server,
    instance: usize,
    path: &str,
    form: &[(&str, &str)],
) -> Response {
    let url = server.url_of(instance, path);
    sign_in.browser.http.post(url).form(form).send().await.unwrap()
}

#[tokio::test]
async fn a_code_is_redeemed_once_by_whichever_instance_and_its_replay_ends_what_it_gave() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    for first in 0..3 {
        let sign_in = SignIn::register(&server).await;
        let code = sign_in.code("alice").await;
        let redeemed = redeem(&sign_in, &server, first, &code).await;
        assert_eq!(redeemed.status(), StatusCode::OK);
        let tokens: Value = redeemed.json().await.unwrap();
        let mut client = Mcp::new(&server);
        client.token = tokens["access_token"].as_str().map(str::to_owned);
        client.initialize(json!({})).await;
        let replayed = redeem(&sign_in, &server, (first + 1) % 3, &code).await;
        assert_eq!(replayed.status(), StatusCode::BAD_REQUEST);
        for instance in 0..3 {
            let refused =
                client.at(&server, instance).call("echo", json!({ "message": "x" })).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        }
    }
}

/// Of many that try at the same time one wins.
#[tokio::test]
async fn a_code_that_is_redeemed_at_every_instance_at_once_gives_one_token() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    for _ in 0..5 {
        let sign_in = SignIn::register(&server).await;
        let code = sign_in.code("alice").await;
        let tries = (0..9).map(|number| redeem(&sign_in, &server, number % 3, &code));
        let answers = futures::future::join_all(tries).await;
        let won = answers.iter().filter(|answer| answer.status() == StatusCode::OK).count();
        assert_eq!(won, 1);
    }
}

#[tokio::test]
async fn a_token_revoked_at_one_instance_opens_none() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    for revoking in 0..3 {
        let sign_in = SignIn::register(&server).await;
        let tokens = sign_in.tokens("alice").await;
        let mut client = Mcp::new(&server);
        client.token = Some(tokens.access);
        client.initialize(json!({})).await;
        // All of them know it.
        for instance in 0..3 {
            client.at(&server, instance).is_served().await;
        }
        let form = [("token", tokens.refresh.as_str()), ("client_id", tokens.client_id.as_str())];
        let revoked = post(&sign_in, &server, revoking, "/revoke", &form).await;
        assert_eq!(revoked.status(), StatusCode::OK);
        for instance in 0..3 {
            let refused =
                client.at(&server, instance).call("echo", json!({ "message": "x" })).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{revoking} at {instance}");
        }
    }
}

#[tokio::test]
async fn a_refresh_token_is_rotated_by_whichever_instance() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    let mut client = Mcp::new(&server);
    client.token = Some(tokens.access);
    client.initialize(json!({})).await;
    let mut refresh = tokens.refresh;
    for round in 0..6 {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
            ("client_id", tokens.client_id.as_str()),
        ];
        let refreshed = post(&sign_in, &server, round % 3, "/token", &form).await;
        assert_eq!(refreshed.status(), StatusCode::OK, "{round}");
        let next: Value = refreshed.json().await.unwrap();
        client.token = next["access_token"].as_str().map(str::to_owned);
        refresh = next["refresh_token"].as_str().unwrap().to_owned();
        let other = client.at(&server, (round + 1) % 3);
        other.is_served().await;
    }
}

/// Registrations and grants outlive every process.
#[tokio::test]
async fn what_was_signed_in_before_a_restart_of_all_is_signed_in_after_it() {
    let on = Deployment::three_on_redis();
    let mut server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let sign_in = SignIn::register(&server).await;
    let (client_id, redirect_uri) = (sign_in.client_id.clone(), sign_in.redirect_uri.clone());
    for instance in 0..3 {
        server.instances[instance].kill();
        server.instances[instance].restart();
    }
    client.is_served().await;
    let again = SignIn { client_id, redirect_uri, ..SignIn::register(&server).await };
    again.tokens("bob").await;
}
