//! How often what may be asked.

use std::time::Duration;

use http::{StatusCode, header::RETRY_AFTER};
use mcp_everything_store::contract::redis_server::RedisServer;
use reqwest::Response;
use rmcp::model::ProtocolVersion;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    everything::client::{Client, Via},
    support::{Answer, Deployment, Mcp, Server, SignIn, Sse, VERIFIER, sign_in::Browser, soon},
};

on_every_deployment!(
    a_user_asks_as_often_as_it_may_and_costs_nobody_else,
    a_message_of_a_batch_is_a_request,
    without_a_session_too_a_request_is_counted,
    with_http_and_sse_messages_are_counted,
    a_user_begins_as_many_sessions_as_it_may,
    an_address_registers_as_often_as_it_may,
    a_page_says_that_too_much_was_asked,
    whoever_guesses_is_not_answered_any_more,
    a_client_asks_for_tokens_as_often_as_it_may,
);

on_separate_deployments!(a_user_asks_as_often_as_it_may_and_costs_nobody_else);

/// Of those who come through it, a proxy that is trusted names this address.
const FORWARDED: &str = "x-forwarded-for";

fn ping(id: u64) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })
}

fn limited(on: &Deployment, limits: &str) -> Server {
    on.with(&[("RATE_LIMITS", limits)])
}

fn seconds(answer: &reqwest::header::HeaderMap) -> u64 {
    answer[RETRY_AFTER].to_str().unwrap().parse().unwrap()
}

#[track_caller]
fn is_too_often(answer: &Answer, id: Option<u64>, limit: &str) {
    answer.is_refused(429, -32603);
    assert_eq!(answer.body["jsonrpc"], "2.0");
    assert_eq!(answer.body["id"].as_u64(), id, "{:?}", answer.body);
    let told = answer.body["error"]["message"].as_str().unwrap();
    assert!(told.contains(limit) && told.contains("try again in"), "{told}");
    assert!((1..=3600).contains(&seconds(&answer.headers)));
}

/// How many of so many requests are let through.
async fn passed(client: &Mcp, asked: u64) -> u64 {
    let mut passed = 0;
    for id in 0..asked {
        let answer = client.post(&ping(id)).await;
        if answer.status == StatusCode::OK {
            passed += 1;
        } else {
            is_too_often(&answer, Some(id), "requests");
        }
    }
    passed
}

async fn a_user_asks_as_often_as_it_may_and_costs_nobody_else(on: &Deployment) {
    let server = limited(on, "requests=20/1h");
    let alice = Mcp::of(&server, "alice").await;
    let bob = Mcp::of(&server, "bob").await;
    // The first was `initialize`.
    assert_eq!(passed(&alice, 30).await, 19);
    let mut elsewhere = alice.clone();
    elsewhere.session = None;
    assert_eq!(passed(&elsewhere, 3).await, 0);
    let refused = Answer::of(alice.get(None).await).await;
    is_too_often(&refused, None, "requests");
    is_too_often(&alice.delete().await, None, "requests");
    // Another client of hers is hers.
    let tokens = SignIn::register(&server).await.tokens("alice").await;
    let mut other = Mcp::new(&server);
    other.token = Some(tokens.access);
    is_too_often(&other.post(&ping(7)).await, Some(7), "requests");
    assert_eq!(passed(&bob, 30).await, 19, "bob has his own");
    let line = server.logged("limit.exceeded");
    assert_eq!((&line["limit"], &line["user_id"]), (&json!("requests"), &json!("alice")));
    assert!(line["retry_after"].as_u64().unwrap() > 0 && !line["request_id"].is_null(), "{line}");
}

async fn a_message_of_a_batch_is_a_request(on: &Deployment) {
    let server = limited(on, "requests=20/1h");
    let mut client = Mcp::new(&server);
    client.token = Some(SignIn::register(&server).await.tokens("alice").await.access);
    let mut initialize = crate::support::initialize(&json!({}));
    initialize["params"]["protocolVersion"] = "2025-03-26".into();
    let begun = client.post(&initialize).await;
    client.session = Some(begun.headers["mcp-session-id"].to_str().unwrap().to_owned());
    let batch = |count| Value::Array((0..count).map(ping).collect());
    assert_eq!(client.post(&batch(15)).await.status, StatusCode::OK);
    is_too_often(&client.post(&batch(5)).await, None, "requests");
}

async fn without_a_session_too_a_request_is_counted(on: &Deployment) {
    let server = limited(on, "requests=3/1h");
    let mut client = Mcp::new(&server);
    client.token = Some(SignIn::register(&server).await.tokens("alice").await.access);
    let discover = json!({
        "jsonrpc": "2.0", "id": "x", "method": "server/discover", "params": { "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {}
        } }
    });
    let ask = async || {
        let request = client
            .request(http::Method::POST)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "server/discover");
        Answer::of(request.json(&discover).send().await.unwrap()).await
    };
    for _ in 0..3 {
        assert_eq!(ask().await.status, StatusCode::OK);
    }
    let refused = ask().await;
    refused.is_refused(429, -32603);
    assert_eq!((&refused.body["id"], &refused.body["jsonrpc"]), (&json!("x"), &json!("2.0")));
    assert!(seconds(&refused.headers) > 0);
}

async fn with_http_and_sse_messages_are_counted(on: &Deployment) {
    let server = limited(on, "requests=4/1h");
    // The stream, `initialize`, and two more.
    let client = Sse::of(&server, "alice").await;
    for id in 0..2 {
        assert_eq!(client.post(&ping(id)).await.status, StatusCode::ACCEPTED);
    }
    is_too_often(&client.post(&ping(9)).await, Some(9), "requests");
}

async fn a_user_begins_as_many_sessions_as_it_may(on: &Deployment) {
    let server = limited(on, "sessions=3/1h");
    let mut alice = Mcp::of(&server, "alice").await;
    let session = alice.session.take();
    let sse = Sse::open(&server, alice.token.as_deref()).await;
    alice.initialize(json!({})).await;
    alice.session = None;
    let refused = alice.post(&crate::support::initialize(&json!({}))).await;
    is_too_often(&refused, Some(0), "sessions");
    alice.session = session;
    alice.is_served().await;
    drop(sse);
    Mcp::of(&server, "bob").await.is_served().await;
}

async fn register(server: &Server, forwarded: &str) -> Response {
    let document = json!({ "redirect_uris": ["http://127.0.0.1:9/callback"] });
    let request = Browser::new().http.post(server.auth_url("/register")).json(&document);
    request.header(FORWARDED, forwarded).send().await.unwrap()
}

#[track_caller]
fn is_no_token_error(status: StatusCode, headers: &reqwest::header::HeaderMap, body: &Value) {
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{body}");
    // Of the codes that clients know, the one that none of them gives its token up for.
    assert_eq!(body["error"], "temporarily_unavailable");
    assert!(body["error_description"].as_str().unwrap().contains("try again in"), "{body}");
    assert_eq!(headers["cache-control"], "no-store");
    assert!((1..=3600).contains(&seconds(headers)));
}

async fn is_refused(answer: Response) {
    let (status, headers) = (answer.status(), answer.headers().clone());
    is_no_token_error(status, &headers, &answer.json().await.unwrap());
}

async fn an_address_registers_as_often_as_it_may(on: &Deployment) {
    let server = limited(on, "register=3/1h");
    for _ in 0..3 {
        assert_eq!(register(&server, "192.0.2.1").await.status(), StatusCode::CREATED);
    }
    // What anybody writes about where it is from is not believed.
    for forwarded in ["192.0.2.2", "192.0.2.3, 192.0.2.4"] {
        is_refused(register(&server, forwarded).await).await;
    }

    let trusting = on.with(&[("RATE_LIMITS", "register=3/1h"), ("TRUSTED_PROXIES", "127.0.0.0/8")]);
    for forwarded in ["2001:db8::1", "192.0.2.99, 2001:db8::2", "2001:db8:0:0:1::1"] {
        assert_eq!(register(&trusting, forwarded).await.status(), StatusCode::CREATED);
    }
    is_refused(register(&trusting, "192.0.2.98, 2001:db8::3").await).await;
    assert_eq!(register(&trusting, "2001:db8:0:1::1").await.status(), StatusCode::CREATED);
    let line = trusting.logged("limit.exceeded");
    assert_eq!((&line["limit"], &line["address"]), (&json!("register"), &json!("2001:db8::3")));
}

async fn a_page_says_that_too_much_was_asked(on: &Deployment) {
    let server = limited(on, "authorize=2/1h");
    let sign_in = SignIn::register(&server).await;
    for _ in 0..2 {
        let page = sign_in.browser.get(sign_in.authorization_url().as_str()).await;
        assert_eq!(page.status(), StatusCode::OK);
    }
    let page = sign_in.browser.get(sign_in.authorization_url().as_str()).await;
    assert_eq!(page.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(!page.headers().contains_key("location"));
    let wait = seconds(page.headers());
    let html = page.text().await.unwrap();
    assert!(html.contains(&format!("answers again in {wait} s")), "{html}");
}

async fn whoever_guesses_is_not_answered_any_more(on: &Deployment) {
    let settings = [("RATE_LIMITS", "failures=3/1h"), ("TRUSTED_PROXIES", "127.0.0.0/8")];
    let server = on.with(&settings);
    let sign_in = SignIn::register(&server).await;
    let code = sign_in.code("alice").await;
    let redeem = async |code: &str, from: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &sign_in.redirect_uri),
            ("client_id", &sign_in.client_id),
            ("code_verifier", VERIFIER),
        ];
        let request = sign_in.browser.http.post(server.auth_url("/token")).form(&form);
        request.header(FORWARDED, from).send().await.unwrap()
    };
    for guess in ["mcc_guess", "another"] {
        assert_eq!(redeem(guess, "192.0.2.1").await.status(), StatusCode::BAD_REQUEST);
    }
    // Credentials are counted with them.
    let form = [("client_id", "nobody"), ("token", "x")];
    let asked = sign_in.browser.http.post(server.auth_url("/introspect")).form(&form);
    let unknown = asked.header(FORWARDED, "192.0.2.1").send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    // Now the right one does not help either.
    is_refused(redeem(&code, "192.0.2.1").await).await;
    let elsewhere = redeem(&code, "192.0.2.2").await;
    assert_eq!(elsewhere.status(), StatusCode::OK, "it was not used up");
}

async fn a_client_asks_for_tokens_as_often_as_it_may(on: &Deployment) {
    let server = limited(on, "client=2/1h");
    let (one, other) = (SignIn::register(&server).await, SignIn::register(&server).await);
    one.tokens("alice").await;
    let refresh = one.tokens("bob").await.refresh;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("client_id", &one.client_id),
    ];
    is_refused(one.browser.http.post(server.auth_url("/token")).form(&form).send().await.unwrap())
        .await;
    other.tokens("alice").await;
    let line = server.logged("limit.exceeded");
    assert_eq!(line["client_id"], one.client_id.as_str());
}

/// What concerns tokens is limited where they are issued.
#[tokio::test]
async fn an_authorization_server_of_its_own_has_its_limits() {
    let on = Deployment::separate_in_memory();
    an_address_registers_as_often_as_it_may(&on).await;
    a_page_says_that_too_much_was_asked(&on).await;
    whoever_guesses_is_not_answered_any_more(&on).await;
    a_client_asks_for_tokens_as_often_as_it_may(&on).await;
}

/// A client that knows nothing of limits goes on when it may again.
#[tokio::test]
async fn a_client_that_was_refused_works_again() {
    for via in [Via::StreamableHttp, Via::HttpSse] {
        let server = Server::with(&[("RATE_LIMITS", "requests=20/10s")]);
        let client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
        // One request: of two pages the second would be refused for ever.
        let refused = async { while client.service.list_tools(None).await.is_ok() {} };
        soon(refused).await;
        let again = async { while client.service.list_tools(None).await.is_err() {} };
        soon(again).await;
    }
}

#[tokio::test]
async fn a_flood_of_requests_is_no_flood_of_lines() {
    let server = Server::with(&[("RATE_LIMITS", "register=1/1h")]);
    for _ in 0..99 {
        register(&server, "").await;
    }
    let last = register(&server, "").await.headers()["x-request-id"].to_str().unwrap().to_owned();
    server.logged_where(|line| line["event"] == "http.response" && line["request_id"] == *last);
    let lines = server.log();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    let refusals = of("limit.exceeded");
    assert!((1..=30).contains(&refusals.len()), "{}", refusals.len());
    let answers = of("http.response");
    let refused: Vec<_> = answers.iter().filter(|line| line["status"] == 429).collect();
    assert_eq!(refused.len(), 99);
    assert!(refused.iter().all(|line| line["severity"] == "DEBUG"));
}

/// The limiter is never what fails: without Redis each instance counts for itself.
#[tokio::test]
async fn without_redis_it_is_redis_that_is_missed() {
    let mut on = Deployment::one_on_redis();
    let server = on.with(&[("RATE_LIMITS", "requests=1000/1h,register=199/1h")]);
    let client = Mcp::of(&server, "alice").await;
    on.redis.as_mut().map(RedisServer::kill);
    for _ in 0..3 {
        let answer = soon(register(&server, "")).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(client.post(&ping(1)).await.status, StatusCode::SERVICE_UNAVAILABLE);
    server.logged("limits.alone");
    on.redis.as_mut().map(RedisServer::run);
    let told = |event: &str| server.log().iter().filter(|line| line["event"] == event).count();
    let again = async {
        while told("limits.together") == 0 {
            register(&server, "").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon(again).await;
    assert_eq!(register(&server, "").await.status(), StatusCode::CREATED);
    assert_eq!(told("limits.alone"), 1, "it is told once");
}

#[tokio::test]
async fn an_address_has_as_many_connections_as_it_may() {
    let server = Server::with(&[("RATE_LIMITS", "connections=3")]);
    let connect =
        async || TcpStream::connect(("127.0.0.1", server.instances[0].port)).await.unwrap();
    let ask = async |connection: &mut TcpStream| {
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut answer = [0; 12];
        // The other end may be gone before it has read.
        let _ = connection.write_all(request).await;
        soon(connection.read_exact(&mut answer)).await.map(|_| answer)
    };
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut connection = connect().await;
        assert_eq!(&ask(&mut connection).await.unwrap(), b"HTTP/1.1 200");
        open.push(connection);
    }
    let mut one_more = connect().await;
    let mut answer = [0; 12];
    soon(one_more.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429");
    assert_eq!(server.logged("connections.refused")["most"], 3);
    open.pop();
    let again = async {
        loop {
            if ask(&mut connect().await).await.is_ok_and(|answer| &answer == b"HTTP/1.1 200") {
                return;
            }
        }
    };
    soon(again).await;
}
