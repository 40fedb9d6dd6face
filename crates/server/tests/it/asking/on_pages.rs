//! Users who are asked on a page, and others who would answer for them.

use std::pin::pin;

use futures::{FutureExt as _, future::join};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    asker::{Asker, Decision, Wire, stateless},
    page::{self, ANSWER},
};
use crate::support::{Answer, Deployment, Mcp, Server, SignIn, Stream, call, sign_in::Browser};

on_every_deployment!(
    the_client_that_asked_is_told_and_nobody_else,
    what_a_user_types_reaches_no_client,
    another_user_cannot_answer,
    a_page_of_another_site_cannot_answer,
    a_link_that_is_changed_or_used_up_leads_nowhere,
    a_user_refuses_on_the_page,
    a_request_that_needs_a_page_is_repeated,
    on_2026_07_28_the_repeated_request_waits_for_the_page,
    where_nobody_signs_in_everybody_is_asked,
    a_program_without_a_user_has_nobody_asked,
);

on_separate_deployments!(where_users_sign_in_elsewhere_nobody_is_asked);

const TOOL: &str = "triggerUrlElicitation";

fn can() -> Value {
    json!({ "elicitation": { "url": {} } })
}

async fn token(server: &Server, user: &str) -> String {
    SignIn::register(server).await.tokens(user).await.access
}

async fn client(server: &Server, user: &str) -> Mcp {
    let token = token(server, user).await;
    Asker::connect(server, Wire::November, user, Some(&token), &can()).await.mcp().clone()
}

/// A call that asks, as far as its question.
struct Asking {
    stream: Stream,
    question: Value,
    client: Mcp,
}

impl Asking {
    async fn begin(client: &Mcp) -> Self {
        let mut stream = Stream::of(client.send(&call(1, TOOL, &json!({}))).await);
        let question = stream.until("elicitation/create").await;
        Self { stream, question, client: client.clone() }
    }

    fn url(&self) -> &str {
        self.question["params"]["url"].as_str().unwrap()
    }

    fn id(&self) -> &Value {
        &self.question["params"]["elicitationId"]
    }

    async fn agree(&self) {
        let result = json!({ "action": "accept" });
        let message = json!({ "jsonrpc": "2.0", "id": self.question["id"], "result": result });
        assert_eq!(self.client.post(&message).await.status, StatusCode::ACCEPTED);
    }

    /// What the call comes to.
    async fn result(mut self) -> String {
        let answer = self.stream.last().await;
        answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).into()
    }
}

async fn told(stream: &mut Stream) -> Value {
    stream.until("notifications/elicitation/complete").await["params"].clone()
}

async fn the_client_that_asked_is_told_and_nobody_else(on: &Deployment) {
    let server = on.start();
    let clients = [client(&server, "alice").await, client(&server, "alice").await];
    let mut streams = Vec::new();
    for client in &clients {
        streams.push(Stream::of(client.get(None).await));
    }
    // The second hears of its own page first, so not of the other's.
    for (client, stream) in clients.iter().zip(&mut streams) {
        let asking = Asking::begin(client).await;
        let params = &asking.question["params"];
        assert_eq!(params["mode"], "url");
        assert_eq!(params["message"], "Please open the link to complete this action.");
        let id = asking.id().as_str().unwrap().to_owned();
        assert_eq!(asking.url(), server.url(&format!("/elicitation/{id}")));
        asking.agree().await;
        page::answer(asking.url(), "alice").await;
        assert_eq!(told(stream).await, json!({ "elicitationId": id }));
        assert!(asking.result().await.contains("the user completed the page"));
    }
}

async fn what_a_user_types_reaches_no_client(on: &Deployment) {
    let server = on.start();
    let token = token(&server, "alice").await;
    for wire in [Wire::November, Wire::HttpSse, Wire::Stateless] {
        let mut asker = Asker::connect(&server, wire, "alice", Some(&token), &can()).await;
        asker.call(TOOL, &json!({ "message": "Say it" }), Decision::Accept).await.unwrap();
        assert_eq!(asker.asked.last().unwrap()["params"]["message"], "Say it");
        let heard = json!(asker.heard).to_string();
        assert!(!heard.contains(ANSWER) && !heard.contains("alice"), "{wire:?}: {heard}");
    }
}

/// Alice has the server ask, and sends the link to Bob.
async fn another_user_cannot_answer(on: &Deployment) {
    let server = on.start();
    let client = client(&server, "alice").await;
    let asking = Asking::begin(&client).await;
    asking.agree().await;
    let (alice, bob) = (Browser::new(), Browser::new());
    let hers = page::open(&alice, asking.url(), "alice").await;
    let his = page::open(&bob, asking.url(), "bob").await;
    assert_eq!(his.status, StatusCode::FORBIDDEN, "{}", his.html);
    assert!(!his.html.contains("Please open the link") && !his.html.contains("alice"));
    // Nor does her form do in his browser.
    let stolen = page::send(&bob, &hers, &[("answer", "x")]).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    let answered = page::send(&alice, &hers, &[("answer", ANSWER)]).await;
    assert!(answered.html.contains("id=\"completed\""), "{}", answered.html);
    assert!(asking.result().await.contains("the user completed the page"));
}

async fn a_page_of_another_site_cannot_answer(on: &Deployment) {
    let server = on.start();
    let client = client(&server, "alice").await;
    let asking = Asking::begin(&client).await;
    asking.agree().await;
    let (alice, elsewhere) = (Browser::new(), Browser::new());
    let page = page::open(&alice, asking.url(), "alice").await;
    assert!(page.html.contains("Please open the link"), "{}", page.html);
    let form = page.form();
    for site in ["cross-site", "same-site"] {
        let request = alice.http.post(asking.url()).header("sec-fetch-site", site);
        let answer = request.form(&form.fields).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{site}");
    }
    let unsigned = alice.http.post(asking.url()).form(&[("answer", "x")]).send().await.unwrap();
    assert_eq!(unsigned.status(), StatusCode::FORBIDDEN);
    // A form that an attacker was shown as the same user, in another browser.
    let other = page::open(&elsewhere, asking.url(), "alice").await;
    let forged = page::send(&alice, &other, &[("answer", "x")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(page::open(&alice, asking.url(), "alice").await.html.contains("name=\"answer\""));
}

async fn a_link_that_is_changed_or_used_up_leads_nowhere(on: &Deployment) {
    let server = on.start();
    let client = client(&server, "alice").await;
    let asking = Asking::begin(&client).await;
    let browser = Browser::new();
    let id = asking.id().as_str().unwrap();
    let mut forged = id.to_owned();
    forged.replace_range(..1, if id.starts_with('A') { "B" } else { "A" });
    for id in [&forged, "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "..%2faccount"] {
        let answer = browser.get(&server.url(&format!("/elicitation/{id}"))).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{id}");
    }
    asking.agree().await;
    let page = page::open(&browser, asking.url(), "alice").await;
    page::send(&browser, &page, &[("answer", ANSWER)]).await;
    let again = page::send(&browser, &page, &[("answer", "another")]).await;
    assert!(again.html.contains("id=\"completed\""), "{}", again.html);
    let mut stream = Stream::of(client.get(None).await);
    assert_eq!(told(&mut stream).await["elicitationId"], *asking.id());
    assert!(asking.result().await.contains("the user completed the page"));
    // It was told once: the next that is heard is of another page.
    let next = Asking::begin(&client).await;
    next.agree().await;
    page::answer(next.url(), "alice").await;
    assert_eq!(told(&mut stream).await["elicitationId"], *next.id());
}

async fn a_user_refuses_on_the_page(on: &Deployment) {
    let server = on.start();
    let client = client(&server, "alice").await;
    let asking = Asking::begin(&client).await;
    asking.agree().await;
    let browser = Browser::new();
    let page = page::open(&browser, asking.url(), "alice").await;
    let over = page::send(&browser, &page, &[("decision", "decline")]).await;
    assert!(over.html.contains("id=\"declined\""), "{}", over.html);
    assert!(asking.result().await.contains("refused to answer"));
    // Who declines in the client is not asked on the page any more.
    let asking = Asking::begin(&client).await;
    let declined = json!({ "action": "decline" });
    let message = json!({ "jsonrpc": "2.0", "id": asking.question["id"], "result": declined });
    client.post(&message).await;
    let url = asking.url().to_owned();
    assert!(asking.result().await.contains("the user declined to open"));
    let late = page::open(&browser, &url, "alice").await;
    assert!(late.html.contains("id=\"declined\""), "{}", late.html);
}

/// The page that an error of this kind names.
#[track_caller]
fn required(answer: &Answer) -> (String, String) {
    let error = &answer.body["error"];
    assert_eq!(error["code"], -32042, "{answer:?}");
    let named = error["data"]["elicitations"].as_array().unwrap();
    assert_eq!((named.len(), &named[0]["mode"]), (1, &json!("url")), "{error}");
    assert_eq!(named[0]["message"], "Sign here");
    let text = |name: &str| named[0][name].as_str().unwrap().to_owned();
    (text("elicitationId"), text("url"))
}

async fn a_request_that_needs_a_page_is_repeated(on: &Deployment) {
    let server = on.start();
    let (client, other) = (client(&server, "alice").await, client(&server, "alice").await);
    let mut stream = Stream::of(client.get(None).await);
    let arguments = json!({ "message": "Sign here", "errorPath": true });
    let (id, url) = required(&client.call(TOOL, arguments.clone()).await);
    assert_eq!(required(&client.call(TOOL, arguments.clone()).await).0, id, "it is asked once");
    page::answer(&url, "alice").await;
    assert_eq!(told(&mut stream).await["elicitationId"], id);
    // What one client's user has answered lets no other client go on.
    assert_ne!(required(&other.call(TOOL, arguments.clone()).await).0, id);
    let done = client.call(TOOL, arguments.clone()).await;
    assert!(done.text().contains("the user completed the page"), "{done:?}");
    assert_ne!(required(&client.call(TOOL, arguments).await).0, id, "it is used up");
}

async fn on_2026_07_28_the_repeated_request_waits_for_the_page(on: &Deployment) {
    let server = on.start();
    let mut alice = Mcp::new(&server);
    alice.token = Some(token(&server, "alice").await);
    // That error is not for this revision.
    let mut params = json!({ "name": TOOL, "arguments": { "errorPath": true, "message": "Hi" } });
    let key = format!("{TOOL} Hi");
    let asked = stateless(&alice, &can(), "tools/call", params.clone()).await;
    let question = &asked.body["result"]["inputRequests"][&key];
    assert_eq!(question["params"]["mode"], "url", "{asked:?}");
    let url = question["params"]["url"].as_str().unwrap();
    params["requestState"] = asked.body["result"]["requestState"].clone();
    params["inputResponses"] = json!({ key: { "action": "accept" } });

    let mut bob = Mcp::new(&server);
    bob.token = Some(token(&server, "bob").await);
    let stolen = stateless(&bob, &can(), "tools/call", params.clone()).await;
    assert_eq!(stolen.body["error"]["code"], -32602, "{stolen:?}");

    let can = can();
    let mut repeated = pin!(stateless(&alice, &can, "tools/call", params.clone()));
    assert!(repeated.as_mut().now_or_never().is_none(), "it waits");
    let (done, ()) = join(repeated, page::answer(url, "alice")).await;
    assert!(done.text().contains("the user completed the page"), "{done:?}");
    // An answer that was lost is given again.
    let again = stateless(&alice, &can, "tools/call", params).await;
    assert_eq!(again.text(), done.text());
}

async fn where_nobody_signs_in_everybody_is_asked(on: &Deployment) {
    let server = on.open();
    let asker = Asker::connect(&server, Wire::November, "anonymous", None, &can()).await;
    let asking = Asking::begin(asker.mcp()).await;
    asking.agree().await;
    page::answer(asking.url(), "anonymous").await;
    assert!(asking.result().await.contains("the user completed the page"));
}

/// Whoever opened a page would not be known for the user who is asked.
async fn where_users_sign_in_elsewhere_nobody_is_asked(on: &Deployment) {
    let server = on.start();
    let token = token(&server, "alice").await;
    for wire in [Wire::November, Wire::HttpSse, Wire::Stateless] {
        let mut asker = Asker::connect(&server, wire, "alice", Some(&token), &can()).await;
        for arguments in [json!({}), json!({ "errorPath": true })] {
            let answer = asker.call(TOOL, &arguments, Decision::Accept).await.unwrap();
            assert_eq!(answer["result"]["isError"], true, "{wire:?}: {answer}");
            let text = answer["result"]["content"][0]["text"].as_str().unwrap();
            assert!(text.contains("cannot ask its users on a page"), "{text}");
        }
        assert!(asker.asked.is_empty());
    }
    let page = server.url("/elicitation/AAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(Browser::new().get(&page).await.status(), StatusCode::NOT_FOUND);
}

async fn a_program_without_a_user_has_nobody_asked(on: &Deployment) {
    let server = on.with(&[("OPEN_CLIENT_CREDENTIALS", "on")]);
    let http = Browser::new().http;
    let document = json!({ "grant_types": ["client_credentials"] });
    let registered = http.post(server.url("/register")).json(&document).send().await.unwrap();
    let registered: Value = registered.json().await.unwrap();
    crate::support::secrets::seen_in_json(&registered);
    let text = |name: &str| registered[name].as_str().unwrap();
    let tokens = http
        .post(server.url("/token"))
        .basic_auth(text("client_id"), Some(text("client_secret")))
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .unwrap();
    let tokens: Value = tokens.json().await.unwrap();
    crate::support::secrets::seen_in_json(&tokens);
    let token = tokens["access_token"].as_str();
    let mut asker = Asker::connect(&server, Wire::November, "nobody", token, &can()).await;
    // Each instance is asked.
    for arguments in [json!({}), json!({ "errorPath": true }), json!({ "message": "x" })] {
        let answer = asker.call(TOOL, &arguments, Decision::Accept).await.unwrap();
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("no user who signs in"), "{text}");
    }
    assert!(asker.asked.is_empty());
}
