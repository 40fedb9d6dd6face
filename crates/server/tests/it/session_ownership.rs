//! A session belongs to whom it was made for.

use http::StatusCode;
use serde_json::json;

use crate::support::{Deployment, Mcp, SignIn};

on_every_deployment!(
    a_session_is_bound_to_the_user_and_the_client_and_not_to_a_token,
    the_owner_ends_a_session,
    a_revoked_grant_opens_no_session_any_more,
);

on_separate_deployments!(
    a_session_is_bound_to_the_user_and_the_client_and_not_to_a_token,
    the_owner_ends_a_session,
    a_revoked_grant_opens_no_session_any_more,
);

async fn a_session_is_bound_to_the_user_and_the_client_and_not_to_a_token(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    let mut client = Mcp::new(&server);
    client.token = Some(tokens.access);
    client.initialize(json!({})).await;

    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("client_id", tokens.client_id.as_str()),
    ];
    let refreshed = sign_in.browser.http.post(server.auth_url("/token")).form(&form).send().await;
    let refreshed: serde_json::Value = refreshed.unwrap().json().await.unwrap();
    client.token = refreshed["access_token"].as_str().map(str::to_owned);
    client.is_served().await;

    // The same user by another client is somebody else.
    let other = SignIn::register(&server).await.tokens("alice").await;
    let mut thief = client.clone();
    thief.token = Some(other.access);
    thief.call("echo", json!({ "message": "hi" })).await.is_refused(404, -32001);
}

async fn the_owner_ends_a_session(on: &Deployment) {
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    assert_eq!(client.delete().await.status, StatusCode::NO_CONTENT);
    client.call("echo", json!({ "message": "hi" })).await.is_refused(404, -32001);
    client.delete().await.is_refused(404, -32001);
}

async fn a_revoked_grant_opens_no_session_any_more(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    let mut client = Mcp::new(&server);
    client.token = Some(tokens.access);
    client.initialize(json!({})).await;
    let form = [("token", tokens.refresh.as_str()), ("client_id", tokens.client_id.as_str())];
    let revoked =
        sign_in.browser.http.post(server.auth_url("/revoke")).form(&form).send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::OK);
    let refused = client.is_shut_out(on).await;
    assert!(refused.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
}
