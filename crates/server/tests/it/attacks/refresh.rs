//! A refresh token in two hands.

use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Mcp, Server, SignIn, Stream, rows::client};

on_every_deployment!(
    refreshed_many_times_at_once_it_gives_one_successor,
    a_stolen_refresh_token_ends_everything_that_was_opened,
);

async fn refresh(server: &Server, client_id: &str, token: &str) -> Answer {
    let form =
        [("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", token)];
    Answer::of(client().post(server.url("/token")).form(&form).send().await.unwrap()).await
}

fn text<'a>(answer: &'a Answer, name: &str) -> &'a str {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body[name].as_str().unwrap()
}

/// A client whose processes refresh at the same time keeps its grant, whichever instances they ask.
async fn refreshed_many_times_at_once_it_gives_one_successor(on: &Deployment) {
    let server = on.start();
    let tokens = SignIn::register(&server).await.tokens("alice").await;
    let tries = (0..9).map(|_| refresh(&server, &tokens.client_id, &tokens.refresh));
    let answers = join_all(tries).await;
    let next = text(&answers[0], "refresh_token");
    assert_ne!(next, tokens.refresh);
    for answer in &answers {
        assert_eq!(text(answer, "refresh_token"), next);
        let mut mcp = Mcp::new(&server);
        mcp.token = Some(text(answer, "access_token").to_owned());
        mcp.initialize(json!({})).await;
    }
    text(&refresh(&server, &tokens.client_id, next).await, "refresh_token");
}

/// The thief comes when the client has refreshed twice: too late for any window.
async fn a_stolen_refresh_token_ends_everything_that_was_opened(on: &Deployment) {
    let server = on.start();
    let tokens = SignIn::register(&server).await.tokens("alice").await;
    let id = tokens.client_id.as_str();
    let second = refresh(&server, id, &tokens.refresh).await;
    let third = refresh(&server, id, text(&second, "refresh_token")).await;
    let mut mcp = Mcp::new(&server);
    mcp.token = Some(text(&third, "access_token").to_owned());
    mcp.initialize(json!({})).await;
    let mut stream = Stream::of(mcp.get(None).await);

    let stolen = refresh(&server, id, &tokens.refresh).await;
    assert_eq!((stolen.status.as_u16(), &stolen.body["error"]), (400, &json!("invalid_grant")));
    while stream.next().await.is_some() {}
    for access in [&tokens.access, text(&second, "access_token"), text(&third, "access_token")] {
        mcp.token = Some(access.to_owned());
        let refused = mcp.call("echo", json!({ "message": "hi" })).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
    for old in [&tokens.refresh, text(&second, "refresh_token"), text(&third, "refresh_token")] {
        let refused: Value = refresh(&server, id, old).await.body;
        assert_eq!(refused["error"], "invalid_grant", "the owner has to sign in again");
    }
}
