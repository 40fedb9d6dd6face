use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use mcp_everything_store::{ElicitationId, ElicitationState, Owner, SecretKeys};
use tower::ServiceExt as _;

use super::ElicitationPages;
use crate::testing::{Form, Page, TestServer, client, logs};

const QUESTION: &str = "What is the magic word?";

fn owner(server: &TestServer, user: &str) -> Owner {
    Owner { user: user.to_owned(), issuer: server.base().to_owned(), client: "c".to_owned() }
}

/// Alice is asked something.
async fn asked(server: &TestServer) -> (ElicitationId, String) {
    server.put_client(&client("c")).await;
    let id = server.asked.ask(owner(server, "alice"), QUESTION).await;
    (id, format!("/elicitation/{id}"))
}

/// Signs in on the page of a question, and is back there.
async fn opened(server: &TestServer, path: &str, user: &str) -> Page {
    let page = server.get(path).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(!page.body.contains(QUESTION), "{}", page.body);
    let sign_in = page.form();
    assert_eq!(sign_in.action, format!("{path}/sign-in"));
    let away = server.submit(&sign_in, &[]).await;
    let provider = server.get(away.header("location")).await.form();
    let back = server.submit(&provider, &[("userId", user)]).await;
    assert_eq!(back.status, 303, "{}", back.body);
    assert_eq!(back.header("location"), format!("{}{path}", server.base()));
    server.get(path).await
}

async fn answer(server: &TestServer, form: &Form) -> Page {
    server.submit(form, &[("answer", "xyzzy")]).await
}

#[tokio::test]
async fn a_user_answers_what_their_client_asked() {
    let server = TestServer::new();
    let (id, path) = asked(&server).await;
    let captured = logs::Capture::start();
    let page = opened(&server, &path, "alice").await;
    assert_eq!(page.header("cache-control"), "no-store");
    for said in [QUESTION, "alice", "Test Client"] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert_eq!(server.asked.state(id).await, ElicitationState::Waiting);
    let back = answer(&server, &page.form()).await;
    assert_eq!(back.status, 303);
    assert_eq!(back.header("location"), format!("{}{path}", server.base()));
    assert_eq!(back.header("cache-control"), "no-store");
    assert_eq!(server.asked.state(id).await, ElicitationState::Completed);
    let over = server.get(&path).await;
    assert!(over.body.contains("You have answered"), "{}", over.body);
    assert!(!over.body.contains("<form"), "{}", over.body);
    let again = answer(&server, &page.form()).await;
    assert_eq!(again.status, 303, "a button may be pressed twice");
    let lines = captured.lines();
    let settled = |event: &&&str| **event == "auth.elicitation.settled";
    assert_eq!(logs::events(&lines).iter().filter(settled).count(), 1);
    assert!(!lines.iter().any(|line| line.contains("xyzzy")), "{lines:?}");
}

#[tokio::test]
async fn a_user_refuses_to_answer() {
    let server = TestServer::new();
    let (id, path) = asked(&server).await;
    let form = opened(&server, &path, "alice").await.form();
    assert_eq!(server.submit(&form, &[("decision", "decline")]).await.status, 303);
    assert_eq!(server.asked.state(id).await, ElicitationState::Declined);
    // Who goes back cannot answer after all: nobody waits.
    assert_eq!(answer(&server, &form).await.status, 303);
    assert_eq!(server.asked.state(id).await, ElicitationState::Declined);
    assert!(server.get(&path).await.body.contains("There was no answer"));
}

/// Alice sends the link to Bob, who would answer for her.
#[tokio::test]
async fn another_user_is_refused_and_told_nothing() {
    let server = TestServer::new();
    let (id, path) = asked(&server).await;
    let hers = opened(&server, &path, "alice").await.form();
    let bob = server.another_browser();
    let page = opened(&bob, &path, "bob").await;
    assert_eq!(page.status, 403);
    assert!(!page.body.contains(QUESTION) && !page.body.contains("alice"), "{}", page.body);
    assert!(page.body.contains("href=\"/account\""), "there he signs out: {}", page.body);
    assert_eq!(answer(&bob, &hers).await.status, 403);
    assert_eq!(server.asked.state(id).await, ElicitationState::Waiting);
    // A user of that name whom somebody else vouches for is another.
    let elsewhere = Owner { issuer: "https://elsewhere.example".into(), ..owner(&server, "alice") };
    let elsewhere = server.asked.ask(elsewhere, QUESTION).await;
    assert_eq!(server.get(&format!("/elicitation/{elsewhere}")).await.status, 403);
}

/// A page of another site, or of another user's, has this browser answer.
#[tokio::test]
async fn a_form_is_good_for_one_browser_one_user_and_one_question() {
    let server = TestServer::new();
    let (id, path) = asked(&server).await;
    let (second, other_path) = asked(&server).await;
    let form = opened(&server, &path, "alice").await.form();
    let other = server.get(&other_path).await.form();

    let mut mixed = form.clone();
    mixed.action.clone_from(&other.action);
    assert_eq!(answer(&server, &mixed).await.status, 403, "of another question");
    assert_eq!(server.submit(&form, &[("answer", "x"), ("signature", "")]).await.status, 403);
    let elsewhere = server.another_browser();
    opened(&elsewhere, &path, "alice").await;
    assert_eq!(answer(&elsewhere, &form).await.status, 403, "of another browser");
    for site in ["cross-site", "same-site"] {
        let request = Request::post(&path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .body(Body::from(form.encode(&[("answer", "x")])));
        assert_eq!(server.send(request.unwrap()).await.status, 403, "{site}");
    }
    server.clock.advance(Duration::from_secs(600));
    assert_eq!(answer(&server, &form).await.status, 403, "it is too old");
    for id in [id, second] {
        assert_eq!(server.asked.state(id).await, ElicitationState::Waiting);
    }
}

#[tokio::test]
async fn whoever_is_signed_out_answers_nothing() {
    let server = TestServer::new();
    let (id, path) = asked(&server).await;
    opened(&server, &path, "alice").await;
    server.clock.advance(Duration::from_secs(301));
    let form = server.get(&path).await.form();
    server.clock.advance(Duration::from_secs(599));
    assert_eq!(answer(&server, &form).await.status, 403, "the session is over before the form");
    assert_eq!(server.asked.state(id).await, ElicitationState::Waiting);
}

#[tokio::test]
async fn what_is_no_answer_is_refused() {
    let server = TestServer::new();
    let (id, path) = asked(&server).await;
    let form = opened(&server, &path, "alice").await.form();
    let long = "x".repeat(201);
    for wrong in [
        &[][..],
        &[("answer", "")],
        &[("answer", &long)],
        &[("answer", "x"), ("decision", "perhaps")],
    ] {
        assert_eq!(server.submit(&form, wrong).await.status, 400, "{wrong:?}");
    }
    let twice = format!("{}&answer=a&answer=b", form.encode(&[]));
    assert_eq!(server.post_form(&path, &twice).await.status, 400);
    assert_eq!(server.post(&path, "text/plain", "x").await.status, 400);
    assert_eq!(server.asked.state(id).await, ElicitationState::Waiting);
}

#[tokio::test]
async fn what_nobody_asked_is_unknown() {
    let server = TestServer::new();
    for id in ["AAAAAAAAAAAAAAAAAAAAAAAA", "x", "..", "%00", &"A".repeat(1000)] {
        let path = format!("/elicitation/{id}");
        assert_eq!(server.get(&path).await.status, 404, "{id}");
        assert_eq!(server.post_form(&path, "answer=x").await.status, 404, "{id}");
        assert_eq!(server.post_form(&format!("{path}/sign-in"), "").await.status, 404, "{id}");
    }
    let (_, path) = asked(&server).await;
    server.clock.advance(Duration::from_secs(3600));
    assert_eq!(server.get(&path).await.status, 404);
}

/// Who is signed in to the account page need not sign in again, and the other way round.
#[tokio::test]
async fn the_session_is_that_of_the_account_page() {
    let server = TestServer::new();
    let (_, path) = asked(&server).await;
    opened(&server, &path, "alice").await;
    assert!(server.get("/account").await.body.contains("<code>alice</code>"));
    let (_, second) = asked(&server).await;
    assert!(server.get(&second).await.body.contains(QUESTION));
}

#[tokio::test]
async fn who_gives_up_signing_in_is_back_at_the_page() {
    let server = TestServer::new();
    let (_, path) = asked(&server).await;
    let away = server.submit(&server.get(&path).await.form(), &[]).await;
    let provider = server.get(away.header("location")).await.form();
    let back = server.submit(&provider, &[("error", "access_denied")]).await;
    assert_eq!(back.header("location"), format!("{}{path}", server.base()));
    assert_eq!(server.get(&path).await.form().action, format!("{path}/sign-in"));
    // The form of one page leads to no other.
    let mut mixed = server.get("/account").await.form();
    mixed.action = format!("{path}/sign-in");
    assert_eq!(server.submit(&mixed, &[]).await.status, 403);
}

/// Where nobody signs in everybody is one user; a form is still of one browser.
#[tokio::test]
async fn where_nobody_signs_in_the_page_is_everybodys() {
    let server = TestServer::new();
    let id = server.asked.ask(Owner::anonymous(), QUESTION).await;
    let pages = ElicitationPages {
        base: server.context.config.issuer.clone(),
        service: "Everything".into(),
        elicitations: Arc::clone(&server.asked) as _,
        keys: SecretKeys::generate(&*server.random),
        clock: Arc::new(server.clock.clone()),
        random: Arc::<mcp_everything_store::TestRandom>::clone(&server.random),
    };
    let (router, path) = (pages.router(), format!("/elicitation/{id}"));
    let send = async |request: Request<Body>| {
        Page::read(router.clone().oneshot(request).await.unwrap()).await
    };
    let page = send(Request::get(&path).body(Body::empty()).unwrap()).await;
    assert!(page.body.contains(QUESTION) && !page.body.contains("Signed in"), "{}", page.body);
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let post = |cookie: Option<&str>| {
        let mut request =
            Request::post(&path).header("content-type", "application/x-www-form-urlencoded");
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        request.body(Body::from(page.form().encode(&[("answer", "x")]))).unwrap()
    };
    assert_eq!(send(post(None)).await.status, 403);
    assert_eq!(server.asked.state(id).await, ElicitationState::Waiting);
    assert_eq!(send(post(Some(&cookie))).await.status, 303);
    assert_eq!(server.asked.state(id).await, ElicitationState::Completed);
    let sign_in = Request::post(format!("{path}/sign-in")).body(Body::empty()).unwrap();
    assert_eq!(send(sign_in).await.status, 404);
    let style = Request::get("/auth-assets/auth.css").body(Body::empty()).unwrap();
    assert_eq!(send(style).await.status, 200);
    // What a user who signed in is asked is nothing for everybody.
    let hers = server.asked.ask(owner(&server, "alice"), QUESTION).await;
    let hers = Request::get(format!("/elicitation/{hers}")).body(Body::empty()).unwrap();
    assert_eq!(send(hers).await.status, 403);
}
