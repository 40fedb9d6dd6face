//! Who sees what.

use http::StatusCode;
use reqwest::Response;
use serde_json::json;

use super::events::{Looking, events_of};
use crate::support::{
    Deployment, Mcp, Server, SignIn, call,
    rows::client,
    secrets,
    sign_in::{Browser, forms},
};

on_every_deployment!(
    another_users_session_does_not_exist,
    contents_are_for_the_sessions_user_alone,
    what_a_stranger_sends_is_not_shown,
    a_token_is_shown_once_and_opens_what_it_allows,
    elsewhere_it_takes_a_token_or_a_user,
);

on_separate_deployments!(a_token_is_shown_once_and_opens_what_it_allows);

/// As a request that came through a proxy, which nobody on the machine sends.
const ELSEWHERE: (&str, &str) = ("x-forwarded-for", "192.0.2.7");

/// A browser whose user signs in to the status page.
async fn signed_in(server: &Server, user: &str) -> Browser {
    let (start, page) = (server.url("/status/sign-in"), server.url("/status"));
    Browser::signed_in(user, &start, &page).await.0
}

async fn look(browser: &Browser, url: &str) -> Response {
    let request = browser.http.get(url).header(ELSEWHERE.0, ELSEWHERE.1);
    request.send().await.unwrap()
}

async fn another_users_session_does_not_exist(on: &Deployment) {
    let server = on.start();
    let [alice, bob] = [Mcp::of(&server, "alice").await, Mcp::of(&server, "bob").await];
    let [hers, his] = [alice, bob].map(|client| client.session.unwrap());
    let browser = signed_in(&server, "alice").await;
    for path in ["/status", "/status/events"] {
        let at = |session: &str| server.url(&format!("{path}?session={session}"));
        assert_eq!(look(&browser, &at(&hers)).await.status(), StatusCode::OK);
        for other in [his.as_str(), "60d276c9-0000-4000-8000-000000000000", "x"] {
            let answer = look(&browser, &at(other)).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path} {other}");
        }
    }
    let mut looking = Looking::of(look(&browser, &server.url("/status/events")).await);
    let listed = looking.until("sessions", |_| true).await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["id"], hers.as_str());
    let page = look(&browser, &server.url("/status")).await.text().await.unwrap();
    for not_theirs in ["id=\"instances\"", "id=\"lines\"", "id=\"together\""] {
        assert!(!page.contains(not_theirs), "{page}");
    }
    // Nor do they hear of what goes on besides.
    for _ in 0..3 {
        let (name, data) = looking.next().await.unwrap();
        assert_eq!(name, "sessions", "{data}");
    }
}

async fn contents_are_for_the_sessions_user_alone(on: &Deployment) {
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let session = client.session.clone().unwrap();
    let mut anybody = Looking::watching(&server, &session).await;
    let browser = signed_in(&server, "alice").await;
    let mut alice = Looking::of(browser.get(&events_of(&server, &session)).await);
    // He is on the machine of the server, and so may see that there is such a session.
    let browser = signed_in(&server, "bob").await;
    let mut bob = Looking::of(browser.get(&events_of(&server, &session)).await);
    alice.until("sessions", |_| true).await;

    let sent = |steps: &[serde_json::Value]| steps.iter().any(|step| step["what"] == "sent");
    let serving = async {
        loop {
            let called = client.call("echo", json!({ "message": "between us" })).await;
            assert_eq!(called.text(), "Echo: between us");
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let seen = async {
        let seen = alice.steps(sent).await;
        let received = seen.iter().find(|step| step["what"] == "received").unwrap();
        assert!(received["contents"].as_str().unwrap().contains("between us"), "{received}");
        for other in [&mut anybody, &mut bob] {
            let seen = other.steps(sent).await;
            assert!(seen.iter().any(|step| step["name"] == "tools/call"), "{seen:?}");
            for step in seen {
                assert!(step.get("contents").is_none(), "{step}");
            }
        }
    };
    tokio::select! {
        () = seen => {}
        never = serving => never,
    }
    // On every instance, enough for each to have answered.
    for _ in 0..6 {
        client.is_served().await;
    }
}

async fn what_a_stranger_sends_is_not_shown(on: &Deployment) {
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let session = client.session.clone().unwrap();
    let mut bob = Mcp::of(&server, "bob").await;
    bob.session = Some(session.clone());
    let browser = signed_in(&server, "alice").await;
    let mut looking = Looking::of(browser.get(&events_of(&server, &session)).await);
    looking.until("sessions", |_| true).await;
    let (mut id, mut hers) = (100, Vec::new());
    while hers.len() < server.instances.len() {
        let refused = bob.post(&call(id, "echo", &json!({ "message": "of a stranger" }))).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        client.post(&call(id + 1, "echo", &json!({ "message": "hers" }))).await;
        let seen = looking.steps(|steps| steps.iter().any(|step| step["what"] == "sent")).await;
        for step in &seen {
            assert!(!step.to_string().contains("of a stranger"), "{step}");
            assert!(step["what"] != "answered" || step["name"] == "200", "{step}");
        }
        let on = seen.iter().map(|step| step["on"].as_str().unwrap().to_owned());
        hers.extend(on);
        hers.sort();
        hers.dedup();
        id += 2;
    }
}

async fn show(browser: &Browser, server: &Server, token: &str) -> Response {
    secrets::seen(token);
    let request = browser.http.post(server.url("/status/token")).form(&[("token", token)]);
    request.send().await.unwrap()
}

async fn a_token_is_shown_once_and_opens_what_it_allows(on: &Deployment) {
    let server = on.start();
    let own = SignIn::register(&server).await.tokens("alice").await;
    let sign_in = SignIn::register(&server).await;
    let all = SignIn { scope: Some("mcp:admin"), ..sign_in }.tokens("alice").await;
    for (token, sees_all) in [(own.access.as_str(), false), (all.access.as_str(), true)] {
        let browser = Browser::new();
        let door = look(&browser, &server.url("/status")).await;
        assert_eq!(door.status(), StatusCode::UNAUTHORIZED);
        let form = forms(&door.text().await.unwrap()).swap_remove(0);
        assert_eq!((form.action.as_str(), form.post), ("/status/token", true));
        let shown = show(&browser, &server, token).await;
        assert_eq!(shown.status(), StatusCode::SEE_OTHER);
        assert_eq!(shown.headers()["location"], server.url("/status"));
        let cookie = shown.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        assert!(!cookie.contains(token));
        let page = look(&browser, &server.url("/status")).await.text().await.unwrap();
        assert!(page.contains("<code>alice</code>"), "{page}");
        assert_eq!(page.contains("id=\"instances\""), sees_all, "{page}");
        let mut looking = Looking::of(look(&browser, &server.url("/status/events")).await);
        looking.until(if sees_all { "figures" } else { "sessions" }, |_| true).await;
        let left = browser.http.post(server.url("/status/leave")).send().await.unwrap();
        assert_eq!(left.status(), StatusCode::SEE_OTHER);
        let door = look(&browser, &server.url("/status")).await;
        assert_eq!(door.status(), StatusCode::UNAUTHORIZED);
    }
    let browser = Browser::new();
    let refused = show(&browser, &server, "mca_nonsense").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(refused.headers().get("set-cookie").is_none());
    for site in ["cross-site", "same-site"] {
        let form = browser.http.post(server.url("/status/token")).form(&[("token", &all.access)]);
        let refused = form.header("sec-fetch-site", site).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.headers().get("set-cookie").is_none());
    }
    // What another server would have signed is no cookie of this one.
    let forged = format!("mcp-status=9999999999999.n.all.YWxpY2U.{}.AAAA", "aHR0cDovL3g");
    let refused = client().get(server.url("/status")).header("cookie", forged);
    let refused = refused.header(ELSEWHERE.0, ELSEWHERE.1).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
}

async fn elsewhere_it_takes_a_token_or_a_user(on: &Deployment) {
    let server = on.start();
    for path in ["/status", "/status/events"] {
        let url = server.url(path);
        assert_eq!(client().get(&url).send().await.unwrap().status(), StatusCode::OK, "here");
        let browser = Browser::new();
        let refused = look(&browser, &url).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
        let told = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(told.contains("scope=\"mcp:admin\""), "{told}");
        for (scope, expected) in
            [(Some("mcp:admin"), StatusCode::OK), (None, StatusCode::FORBIDDEN)]
        {
            let sign_in = SignIn::register(&server).await;
            let token = SignIn { scope, ..sign_in }.tokens("alice").await.access;
            let request = client().get(&url).bearer_auth(token).header(ELSEWHERE.0, ELSEWHERE.1);
            assert_eq!(request.send().await.unwrap().status(), expected, "{path} {scope:?}");
        }
    }
}

#[tokio::test]
async fn where_nobody_signs_in_everybody_on_the_machine_is_one_user() {
    let server = Server::open();
    let client_of = Mcp::anonymous(&server).await;
    let session = client_of.session.clone().unwrap();
    let mut looking = Looking::watching(&server, &session).await;
    looking.until("sessions", |listed| listed[0]["id"] == session.as_str()).await;
    client_of.is_served().await;
    let seen = looking.steps(|steps| steps.iter().any(|step| step["what"] == "received")).await;
    assert!(seen.iter().any(|step| step.to_string().contains("hi")), "{seen:?}");
    let refused = client().get(server.url("/status")).header(ELSEWHERE.0, ELSEWHERE.1);
    assert_eq!(refused.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_told_is_for_no_page() {
    let server = Server::start();
    for path in ["/status", "/status/events"] {
        for origin in ["http://localhost:6274", "https://evil.example.com"] {
            let request = client().get(server.url(path)).header("origin", origin);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert!(!answer.headers().contains_key("access-control-allow-origin"));
        }
    }
    let page = client().get(server.url("/status")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = page.text().await.unwrap();
    assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onclick"));
    for tag in page.split("<script").skip(1) {
        assert!(tag.starts_with(" src=\"/status/") && tag.contains("></script>"), "{tag}");
    }
}
