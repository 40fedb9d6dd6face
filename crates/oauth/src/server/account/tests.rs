use std::time::Duration;

use axum::{body::Body, http::Request};
use mcp_everything_store::oauth::GrantId;

use crate::testing::{Form, Page, TestServer, Tokens, authorize_url, client, logs};

/// A server at which alice granted a client something.
async fn granted(server: &TestServer) -> Tokens {
    server.put_client(&client("c")).await;
    server.another_browser().log_in("c", "alice", &[("scope", "mcp:read mcp:tools")]).await
}

/// Signs in to the page, and gives it.
async fn opened(server: &TestServer, user: &str) -> Page {
    let sign_in = server.get("/account").await.form();
    assert_eq!(sign_in.action, "/account/sign-in");
    let away = server.submit(&sign_in, &[]).await;
    let provider = server.get(away.header("location")).await.form();
    let back = server.submit(&provider, &[("userId", user)]).await;
    assert_eq!(back.status, 303, "{}", back.body);
    assert_eq!(back.header("location"), format!("{}/account", server.base()));
    server.get("/account").await
}

fn forms_to<'a>(page: &'a [Form], action: &str) -> Vec<&'a Form> {
    page.iter().filter(|form| form.action == action).collect()
}

/// The form that revokes this grant, or "all".
#[track_caller]
fn revoking(page: &Page, grant: &str) -> Form {
    let mut forms = page.forms().into_iter();
    let found = forms.find(|form| form.has("grant") && form.value("grant") == grant);
    found.unwrap_or_else(|| panic!("no form for {grant}: {}", page.body))
}

#[tokio::test]
async fn a_user_sees_what_they_granted_and_revokes_it() {
    let server = TestServer::new();
    let tokens = granted(&server).await;
    let grant = TestServer::grant_of(&tokens.access);
    let page = opened(&server, "alice").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cache-control"), "no-store");
    for said in [
        "alice",
        "Test Client",
        "client.example",
        "http://localhost:3232/mcp",
        "Run the tools",
        "mcp:read",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert_eq!(forms_to(&page.forms(), "/account/revoke").len(), 2, "one, and all");

    let captured = logs::Capture::start();
    let back = server.submit(&revoking(&page, &grant.to_string()), &[]).await;
    assert_eq!((back.status, back.header("location")), (303, "http://localhost:3232/account"));
    assert!(!server.is_active(&tokens.access).await);
    assert_eq!(server.bus.revoked(), [grant]);
    assert!(logs::events(&captured.lines()).contains(&"auth.account.revoked"));
    let refresh = format!("grant_type=refresh_token&client_id=c&refresh_token={}", tokens.refresh);
    server.post_form("/token", &refresh).await.assert_error(400, "invalid_grant");
    let left = server.get("/account").await;
    assert!(!left.body.contains("Test Client"), "{}", left.body);
    assert!(forms_to(&left.forms(), "/account/revoke").is_empty());

    let again = server.submit(&revoking(&page, &grant.to_string()), &[]).await;
    assert_eq!(again.status, 303, "a button may be pressed twice");
}

#[tokio::test]
async fn all_are_revoked_at_once() {
    let server = TestServer::new();
    let mut mine = Vec::new();
    for _ in 0..super::MOST + 2 {
        mine.push(granted(&server).await.access);
    }
    let other = server.another_browser().log_in("c", "bob", &[]).await.access;
    let page = opened(&server, "alice").await;
    assert_eq!(forms_to(&page.forms(), "/account/revoke").len(), super::MOST + 1);
    assert!(page.body.contains("There are more"), "{}", page.body);
    assert_eq!(server.submit(&revoking(&page, "all"), &[]).await.status, 303);
    for token in &mine {
        assert!(!server.is_active(token).await);
    }
    assert!(server.is_active(&other).await, "it is bob's");
    assert_eq!(server.bus.revoked().len(), mine.len());
}

#[tokio::test]
async fn what_another_user_granted_does_not_exist() {
    let server = TestServer::new();
    let tokens = granted(&server).await;
    server.log_in("c", "mallory", &[]).await;
    let page = opened(&server, "mallory").await;
    let mine = page.forms().into_iter().find(|form| form.has("grant")).unwrap();
    let theirs = TestServer::grant_of(&tokens.access).to_string();
    let unknown = GrantId::from_bytes([7; 16]).to_string();
    let mut answers = Vec::new();
    for grant in [theirs.as_str(), &unknown, "nonsense", "", "ALL"] {
        let answer = server.submit(&mine, &[("grant", grant)]).await;
        assert_eq!(answer.status, 404, "{grant}");
        answers.push(answer.body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "the same for all");
    assert!(server.is_active(&tokens.access).await);
}

#[tokio::test]
async fn a_form_is_good_in_the_session_that_it_was_shown_in() {
    let server = TestServer::new();
    let tokens = granted(&server).await;
    let grant = TestServer::grant_of(&tokens.access).to_string();
    let form = revoking(&opened(&server, "alice").await, &grant);
    let other = server.another_browser();
    assert_eq!(other.submit(&form, &[]).await.status, 403, "it is not signed in");
    opened(&other, "alice").await;
    assert_eq!(other.submit(&form, &[]).await.status, 403, "it has a session of its own");
    for signature in ["", "x", "AAAA"] {
        let answer = server.submit(&form, &[("signature", signature)]).await;
        assert_eq!(answer.status, 403, "{signature}");
        assert!(answer.body.contains("Nothing was changed"), "{}", answer.body);
    }
    let twice = format!("{}&grant=all", form.encode(&[]));
    assert_eq!(server.post_form("/account/revoke", &twice).await.status, 400);
    let json = server.post("/account/revoke", "application/json", "{}").await;
    assert_eq!(json.status, 400);
    assert!(server.is_active(&tokens.access).await);
    assert_eq!(server.submit(&form, &[]).await.status, 303);
}

/// Whatever it knows and whichever cookies come along.
#[tokio::test]
async fn no_form_is_taken_from_a_page_of_somebody_else() {
    let server = TestServer::new();
    let tokens = granted(&server).await;
    let sign_in = server.get("/account").await.form();
    let page = opened(&server, "alice").await;
    let revoke = revoking(&page, "all");
    let sign_out = page.forms().swap_remove(0);
    for form in [&sign_in, &revoke, &sign_out] {
        for site in ["cross-site", "same-site"] {
            let request = Request::post(&form.action)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("sec-fetch-site", site);
            let request = request.body(Body::from(form.encode(&[]))).unwrap();
            assert_eq!(server.send(request).await.status, 403, "{} {site}", form.action);
        }
    }
    assert!(server.is_active(&tokens.access).await);
    assert!(server.get("/account").await.body.contains("alice"));
}

#[tokio::test]
async fn a_session_is_short_and_can_be_ended() {
    let server = TestServer::new();
    let tokens = granted(&server).await;
    let grant = TestServer::grant_of(&tokens.access).to_string();
    let page = opened(&server, "alice").await;
    server.clock.advance(Duration::from_secs(15 * 60));
    let late = server.submit(&revoking(&page, &grant), &[]).await;
    assert_eq!(late.status, 403);
    assert!(late.body.contains("not signed in any more"), "{}", late.body);
    assert!(!server.get("/account").await.body.contains("alice"));

    let page = opened(&server, "alice").await;
    let forms = page.forms();
    let sign_out = forms_to(&forms, "/account/sign-out")[0];
    let unsigned = server.submit(sign_out, &[("signature", "")]).await;
    assert_eq!(unsigned.status, 403, "no other site signs anybody out");
    let out = server.submit(sign_out, &[]).await;
    assert_eq!((out.status, out.header("location")), (303, "http://localhost:3232/account"));
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
    assert!(!server.get("/account").await.body.contains("alice"));
    assert_eq!(server.submit(sign_out, &[]).await.status, 303, "it is done already");
    assert!(server.is_active(&tokens.access).await);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_for_others() {
    for (base, name) in
        [("http://localhost:3232", "mcp-account="), ("https://as.example", "__Host-mcp-account=")]
    {
        let server = TestServer::at(base);
        let form = server.get("/account").await.form();
        let away = server.submit(&form, &[]).await;
        let provider = server.get(away.header("location")).await.form();
        let back = server.submit(&provider, &[("userId", "alice")]).await;
        let cookie = back.header("set-cookie");
        assert!(cookie.starts_with(name), "{cookie}");
        assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
        assert!(cookie.contains("; Path=/; Max-Age=900"), "{cookie}");
        assert_eq!(cookie.contains("; Secure"), base.starts_with("https"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

/// The same keys may serve several issuers, and cookies are those of a host whatever the port.
#[tokio::test]
async fn a_session_is_good_for_its_issuer_and_as_it_was_given() {
    let server = TestServer::new();
    assert!(opened(&server, "alice").await.body.contains("alice"));
    let value = server.cookie("mcp-account").unwrap();
    let [until, nonce, user, tag] = value.split('.').collect::<Vec<_>>()[..] else {
        panic!("{value}")
    };
    let elsewhere = TestServer::at("http://localhost:3001");
    elsewhere.set_cookie("mcp-account", &value);
    assert!(!elsewhere.get("/account").await.body.contains("alice"), "another issuer");
    let bob = "Ym9i";
    for forged in [
        format!("{until}.{nonce}.{bob}.{tag}"),
        format!("9{until}.{nonce}.{user}.{tag}"),
        format!("{until}.{}.{user}.{tag}", &nonce[1..]),
        format!("{until}.{nonce}.{user}."),
        format!("{until}.{nonce}.{user}"),
        format!("{value}."),
        format!("{until}..{user}.{tag}"),
        "...".into(),
        String::new(),
    ] {
        server.set_cookie("mcp-account", &forged);
        let page = server.get("/account").await;
        assert_eq!(page.form().action, "/account/sign-in", "{forged}");
    }
    server.set_cookie("mcp-account", &value);
    assert!(server.get("/account").await.body.contains("alice"));
}

#[tokio::test]
async fn who_cancels_at_the_provider_is_not_signed_in() {
    let server = TestServer::new();
    let away = server.submit(&server.get("/account").await.form(), &[]).await;
    let provider = server.get(away.header("location")).await.form();
    let captured = logs::Capture::start();
    let back = server.submit(&provider, &[("error", "access_denied")]).await;
    assert_eq!((back.status, back.header("location")), (303, "http://localhost:3232/account"));
    assert!(logs::events(&captured.lines()).contains(&"auth.login.failed"));
    assert_eq!(server.get("/account").await.form().action, "/account/sign-in");
    assert_eq!(server.submit(&provider, &[("userId", "alice")]).await.status, 400, "it is over");
}

/// Neither a link nor a form of another site signs anybody in.
#[tokio::test]
async fn a_login_is_of_the_browser_that_asked() {
    let server = TestServer::new();
    let form = server.get("/account").await.form();
    let other = server.another_browser();
    assert_eq!(other.submit(&form, &[]).await.status, 403);
    other.get("/account").await;
    assert_eq!(other.submit(&form, &[]).await.status, 403);
    assert_eq!(server.submit(&form, &[("signature", "x")]).await.status, 403);
    server.put_client(&client("c")).await;
    let consent = server.get(&authorize_url("c", &[])).await.form();
    let theirs = [("signature", consent.value("signature"))];
    let theirs: Vec<_> = theirs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(server.submit(&form, &theirs).await.status, 403, "of the consent page");
    let away = server.submit(&form, &[]).await;
    let provider = server.get(away.header("location")).await.form();
    assert_eq!(other.submit(&provider, &[("userId", "alice")]).await.status, 403);
    assert_eq!(server.submit(&provider, &[("userId", "alice")]).await.status, 303);
    server.clock.advance(Duration::from_secs(600));
    assert_eq!(server.submit(&form, &[]).await.status, 403, "the form is too old");
}

#[tokio::test]
async fn what_clients_say_of_themselves_is_escaped() {
    let server = TestServer::new();
    let hostile = "<img src=x onerror=alert(1)>\"'&";
    let named =
        mcp_everything_store::oauth::ClientRecord { name: Some(hostile.into()), ..client("c") };
    server.put_client(&named).await;
    server.log_in("c", "alice", &[]).await;
    let page = opened(&server, "alice").await;
    assert!(!page.body.contains("<img"), "{}", page.body);
    assert!(page.body.contains("&#60;img src=x onerror=alert(1)&#62;"), "{}", page.body);
}
