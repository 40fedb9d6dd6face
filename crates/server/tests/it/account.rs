//! A user sees what they granted, and takes it back.

use http::StatusCode;
use serde_json::json;
use url::Url;

use crate::support::{
    Deployment, Mcp, Server, SignIn, Stream,
    sign_in::{Browser, Form, forms},
};

on_every_deployment!(
    a_user_ends_what_they_granted,
    a_user_ends_everything_and_nobody_elses,
    a_user_gives_less_than_was_asked_for,
    what_was_ended_is_good_for_nothing,
);

on_separate_deployments!(a_user_gives_less_than_was_asked_for, what_was_ended_is_good_for_nothing);

/// The account page of somebody who signs in now.
async fn account(server: &Server, user: &str) -> (Browser, Vec<Form>, String) {
    let url = server.auth_url("/account");
    let (browser, page) = Browser::signed_in(user, &url, &url).await;
    (browser, forms(&page), page)
}

async fn press(server: &Server, browser: &Browser, form: &Form) {
    let answer = browser.submit(&Url::parse(&server.auth_url("/account")).unwrap(), form).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"], server.auth_url("/account"));
}

async fn a_user_ends_what_they_granted(on: &Deployment) {
    let server = on.start();
    let tokens = SignIn::register(&server).await.tokens("alice").await;
    let mut client = Mcp::new(&server);
    client.token = Some(tokens.access);
    client.initialize(json!({})).await;
    let mut stream = Stream::of(client.get(None).await);

    let (browser, forms, page) = account(&server, "alice").await;
    for said in ["Test", "127.0.0.1:9", &server.url("/mcp"), "mcp:read", "mcp:tools"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let revoke = forms.iter().find(|form| form.fields.contains_key("grant")).unwrap();
    press(&server, &browser, revoke).await;
    server.logged("auth.account.revoked");

    while stream.next().await.is_some() {}
    let refused = client.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.refresh),
        ("client_id", &tokens.client_id),
    ];
    let refresh = browser.http.post(server.url("/token")).form(&form).send().await.unwrap();
    assert_eq!(refresh.status(), StatusCode::BAD_REQUEST);
    let (_, forms, _) = account(&server, "alice").await;
    assert!(!forms.iter().any(|form| form.fields.contains_key("grant")), "nothing is left");
}

async fn a_user_ends_everything_and_nobody_elses(on: &Deployment) {
    let server = on.start();
    let mut clients = Vec::new();
    for user in ["alice", "alice", "bob"] {
        let mut client = Mcp::new(&server);
        client.token = Some(SignIn::register(&server).await.tokens(user).await.access);
        client.initialize(json!({})).await;
        clients.push(client);
    }
    let (_, forms, _) = account(&server, "bob").await;
    let of_bob = forms.iter().find_map(|form| form.fields.get("grant")).unwrap().clone();

    let (browser, mut forms, _) = account(&server, "alice").await;
    let at = forms.iter().position(|form| form.fields.contains_key("grant")).unwrap();
    let mut foreign = forms.swap_remove(at);
    foreign.fields.insert("grant".into(), of_bob);
    let answer = browser.submit(&Url::parse(&server.auth_url("/account")).unwrap(), &foreign).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);

    let all = |form: &&Form| form.fields.get("grant").is_some_and(|grant| grant == "all");
    press(&server, &browser, forms.iter().find(all).unwrap()).await;
    for (client, status) in
        clients.iter().zip([StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED, StatusCode::OK])
    {
        let answer = client.call("echo", json!({ "message": "hi" })).await;
        assert_eq!(answer.status, status);
    }
}

/// With a server that asks another about tokens too, if it has not asked about this one just now.
async fn what_was_ended_is_good_for_nothing(on: &Deployment) {
    let server = on.start();
    let tokens = SignIn::register(&server).await.tokens("alice").await;
    let (browser, forms, page) = account(&server, "alice").await;
    assert!(page.contains(&server.url("/mcp")), "{page}");
    press(&server, &browser, forms.iter().find(|form| form.fields.contains_key("grant")).unwrap())
        .await;
    let id = tokens.client_id.as_str();
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh), ("client_id", id)];
    let refused = browser.http.post(server.auth_url("/token")).form(&refresh).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let mut client = Mcp::new(&server);
    client.token = Some(tokens.access);
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    // Each instance is asked.
    for _ in 0..3 {
        assert_eq!(client.post(&ping).await.status, StatusCode::UNAUTHORIZED);
    }
}

async fn a_user_gives_less_than_was_asked_for(on: &Deployment) {
    let server = on.start();
    let mut sign_in = SignIn::register(&server).await;
    sign_in.scope = Some("mcp:read mcp:tools");
    sign_in.answers = vec![("mcp:tools", "refuse")];
    let mut client = Mcp::new(&server);
    client.token = Some(sign_in.tokens("alice").await.access);
    client.initialize(json!({})).await;
    let refused = client.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/list" });
    assert_eq!(client.post(&list).await.status, StatusCode::OK);
}
