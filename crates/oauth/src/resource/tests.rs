use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
    response::{IntoResponse as _, Response},
    routing::any,
};
use mcp_everything_store::{Access, Clock as _, Owner, TestClock, Timestamp, oauth::GrantId};
use serde_json::json;
use tower::ServiceExt as _;

use super::*;
use crate::{
    BaseUri, Scope, ScopeSet,
    testing::{FaultyStore, Page, TestServer, client},
};

const CHALLENGE: &str = "resource_metadata=\"http://localhost:3232/.well-known/\
    oauth-protected-resource/mcp\", scope=\"mcp:read mcp:tools\"";

fn resource(path: &str) -> ProtectedResource {
    let base = BaseUri::parse("http://localhost:3232").unwrap();
    ProtectedResource::new(&base, path, "MCP Everything Server", "http://localhost:3232")
}

/// A resource that says who is asking.
fn guarded(server: &TestServer, resource: ProtectedResource) -> Router {
    let issuer = "http://localhost:3232";
    let clock = Arc::new(server.clock.clone());
    let verifier = LocalVerifier::new(Arc::clone(&server.store), clock, issuer);
    let who = async |headers: HeaderMap,
                     caller: Extension<Caller>,
                     owner: Extension<Owner>,
                     access: Extension<Access>| {
        assert!(!headers.contains_key("authorization"), "the token must not get in");
        assert_eq!(caller.owner, *owner);
        assert_eq!(Some(access.grant), caller.grant);
        assert_eq!(access.until, caller.expires_at);
        format!("{} {} {}", owner.user, owner.client, caller.scopes)
    };
    Router::new().route("/mcp", any(who)).layer(BearerLayer::new(
        Arc::new(verifier),
        Arc::new(resource),
        server.context.proofs(),
    ))
}

async fn ask(router: &Router, uri: &str, authorization: &[&str]) -> Page {
    let mut request = Request::post(uri);
    for value in authorization {
        request = request.header("authorization", *value);
    }
    let request = request.body(Body::from("access_token=mca_x")).unwrap();
    Page::read(router.clone().oneshot(request).await.unwrap()).await
}

async fn logged_in(server: &TestServer, resource: &str) -> String {
    server.put_client(&client("c")).await;
    let changes = [("resource", resource), ("scope", "mcp")];
    server.log_in("c", "alice", &changes).await.access
}

#[tokio::test]
async fn a_good_token_says_who_is_asking() {
    let server = TestServer::new();
    let token = logged_in(&server, "http://localhost:3232/mcp").await;
    let router = guarded(&server, resource("/mcp"));
    for scheme in ["Bearer", "bearer", "BEARER "] {
        let page = ask(&router, "/mcp", &[&format!("{scheme} {token}")]).await;
        assert_eq!((page.status, page.body.as_str()), (200, "alice c mcp:read mcp:tools"));
    }
}

#[tokio::test]
async fn the_caller_is_complete() {
    let server = TestServer::new();
    let token = logged_in(&server, "http://localhost:3232/mcp").await;
    server.clock.advance(Duration::from_secs(600));
    // Clocks of two machines differ; the store alone says how long the token has.
    let clock = TestClock::at(Timestamp::from_millis(1_000));
    let verifier =
        LocalVerifier::new(Arc::clone(&server.store), Arc::new(clock.clone()), "the issuer");
    let expected = Caller {
        owner: Owner { user: "alice".into(), issuer: "the issuer".into(), client: "c".into() },
        scopes: ScopeSet::USUAL,
        audience: vec!["http://localhost:3232/mcp".into()],
        expires_at: clock.now() + Duration::from_secs(3000),
        grant: Some(TestServer::grant_of(&token)),
        confirmation: None,
    };
    let caller = verifier.verify(&token).await.unwrap();
    assert_eq!(caller, expected);
    let (until, grant) = (caller.expires_at, TestServer::grant_of(&token));
    assert_eq!(caller.access(), Access { until, grant });
    let elsewhere = Caller { grant: None, ..caller };
    assert_eq!(elsewhere.access(), Access { until, grant: GrantId::ELSEWHERE });
}

#[tokio::test]
async fn without_a_token_the_way_to_one_is_shown() {
    let server = TestServer::new();
    let router = guarded(&server, resource("/mcp"));
    let token = logged_in(&server, "").await;
    for (uri, authorization) in [
        ("/mcp".to_owned(), &[][..]),
        ("/mcp".to_owned(), &["Basic abc"]),
        (format!("/mcp?access_token={token}"), &[]),
    ] {
        let page = ask(&router, &uri, authorization).await;
        assert_eq!(page.status, 401);
        assert_eq!(page.header("www-authenticate"), format!("Bearer {CHALLENGE}"));
        assert_eq!(page.header("content-type"), "application/json");
        assert_eq!(page.json()["error"], "unauthorized");
    }
}

#[tokio::test]
async fn a_header_that_is_no_token_is_malformed() {
    let server = TestServer::new();
    let router = guarded(&server, resource("/mcp"));
    let token = logged_in(&server, "").await;
    let good = format!("Bearer {token}");
    for authorization in [
        &["Bearer"][..],
        &["Bearer "],
        &["Bearer ==="],
        &["Bearer a b"],
        &["Bearer a\"b"],
        &["Bearer a,b"],
        &["Bearer \u{e9}"],
        &[&good, &good],
        &[&good, "Basic abc"],
    ] {
        let page = ask(&router, "/mcp", authorization).await;
        page.assert_error(400, "invalid_request");
        let challenge = page.header("www-authenticate");
        assert!(challenge.starts_with("Bearer error=\"invalid_request\""), "{challenge}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused() {
    let server = TestServer::new();
    let router = guarded(&server, resource("/mcp"));
    let token = logged_in(&server, "").await;
    let unknown = format!("mca_{}", "A".repeat(64));
    for bad in ["x", unknown.as_str(), &token[..token.len() - 1], &token.to_uppercase()] {
        let page = ask(&router, "/mcp", &[&format!("Bearer {bad}")]).await;
        page.assert_error(401, "invalid_token");
        let challenge = page.header("www-authenticate");
        assert!(challenge.starts_with("Bearer error=\"invalid_token\", error_description=\""));
        assert!(challenge.ends_with(CHALLENGE), "{challenge}");
    }
    server.clock.advance(Duration::from_secs(3600));
    let page = ask(&router, "/mcp", &[&format!("Bearer {token}")]).await;
    page.assert_error(401, "invalid_token");
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let server = TestServer::new();
    let router = guarded(&server, resource("/mcp"));
    let token = logged_in(&server, "").await;
    let header = format!("Bearer {token}");
    assert_eq!(ask(&router, "/mcp", &[&header]).await.status, 200);
    server.post_form("/revoke", &format!("client_id=c&token={token}")).await;
    ask(&router, "/mcp", &[&header]).await.assert_error(401, "invalid_token");
}

#[tokio::test]
async fn a_token_is_good_where_it_was_asked_for() {
    let sse = "http://localhost:3232/sse";
    for (asked, guarded_path, also, passes) in [
        ("", "/mcp", None, true),
        ("http://localhost:3232/mcp/", "/mcp", None, true),
        ("http://localhost:3232", "/mcp", None, true),
        ("http://localhost:3232/", "/sse", None, true),
        (sse, "/sse", None, true),
        (sse, "/mcp", None, false),
        ("", "/sse", None, false),
        (sse, "/mcp", Some(sse), true),
    ] {
        let server = TestServer::new();
        let token = logged_in(&server, asked).await;
        let mut resource = resource(guarded_path);
        if let Some(also) = also {
            resource = resource.accepting(also);
        }
        let page = ask(&guarded(&server, resource), "/mcp", &[&format!("Bearer {token}")]).await;
        assert_eq!(page.status, if passes { 200 } else { 401 }, "{asked} {guarded_path}");
        if !passes {
            page.assert_error(401, "invalid_token");
        }
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_not_the_tokens_fault() {
    let server = TestServer::with_broken_store();
    let router = guarded(&server, resource("/mcp"));
    let page = ask(&router, "/mcp", &[&format!("Bearer mca_{}", "A".repeat(64))]).await;
    page.assert_error(503, "temporarily_unavailable");
    assert_eq!(page.header("retry-after"), "2");
    assert!(!page.headers.contains_key("www-authenticate"));
    assert!(!page.body.contains("broken on purpose"));
}

/// Lets requests wait for a store that is back when they have waited so often, or refuses them.
struct Patient {
    server: Arc<FaultyStore>,
    waits: AtomicUsize,
    refuses: bool,
}

#[async_trait]
impl WhileAway for Patient {
    async fn wait(&self, request: &mut Request<Body>) -> Result<(), Box<Response>> {
        let body = std::mem::take(request.body_mut());
        let body = axum::body::to_bytes(body, 100).await.unwrap();
        *request.body_mut() = Body::from(body);
        if self.refuses {
            let refused = (StatusCode::SERVICE_UNAVAILABLE, "in its own words").into_response();
            return Err(Box::new(refused));
        }
        if self.waits.fetch_add(1, Ordering::SeqCst) == 2 {
            self.server.is_back();
        }
        Ok(())
    }
}

fn patient(server: &TestServer, refuses: bool) -> (Arc<Patient>, Router) {
    let faults = Arc::clone(&server.faults);
    let patient = Arc::new(Patient { server: faults, waits: AtomicUsize::new(0), refuses });
    let clock = Arc::new(server.clock.clone());
    let verifier = LocalVerifier::new(Arc::clone(&server.store), clock, "");
    let (resource, proofs) = (Arc::new(resource("/mcp")), server.context.proofs());
    let door = BearerLayer::new(Arc::new(verifier), resource, proofs)
        .while_away(Arc::clone(&patient) as _);
    let echo = async |owner: Extension<Owner>, body: String| format!("{} {body}", owner.user);
    (patient, Router::new().route("/mcp", any(echo)).layer(door))
}

#[tokio::test]
async fn a_request_may_wait_for_a_store_that_is_away() {
    let server = TestServer::new();
    let header = format!("Bearer {}", logged_in(&server, "").await);
    let (patient, router) = patient(&server, false);
    ask(&router, "/mcp", &[]).await.assert_error(401, "unauthorized");
    ask(&router, "/mcp", &["Bearer mca_x"]).await.assert_error(401, "invalid_token");
    assert_eq!(ask(&router, "/mcp", &[&header]).await.status, 200);
    assert_eq!(patient.waits.load(Ordering::SeqCst), 0, "nobody is held without need");
    server.faults.is_away_after(0);
    let page = ask(&router, "/mcp", &[&header]).await;
    assert_eq!((page.status, page.body.as_str()), (200, "alice access_token=mca_x"));
    assert_eq!(patient.waits.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn or_is_refused_in_the_words_of_whoever_lets_it_wait() {
    let server = TestServer::new();
    let header = format!("Bearer {}", logged_in(&server, "").await);
    let (_, router) = patient(&server, true);
    server.faults.is_away_after(0);
    let page = ask(&router, "/mcp", &[&header]).await;
    assert_eq!((page.status, page.body.as_str()), (503, "in its own words"));
    assert!(!page.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn more_scope_is_asked_for_without_losing_what_is_there() {
    let server = TestServer::new();
    let token = logged_in(&server, "").await;
    let verifier =
        LocalVerifier::new(Arc::clone(&server.store), Arc::new(server.clock.clone()), "");
    let caller = verifier.verify(&token).await.unwrap();
    assert!(caller.may(Scope::Read) && !caller.may(Scope::Admin));
    let page = Page::read(resource("/mcp").insufficient_scope(&caller, Scope::Admin)).await;
    page.assert_error(403, "insufficient_scope");
    let challenge = page.header("www-authenticate");
    assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"mcp:read mcp:tools mcp:admin\""), "{challenge}");
    assert!(challenge.contains("resource_metadata=\""), "{challenge}");
}

#[tokio::test]
async fn each_resource_has_its_own_document() {
    let resources = [resource(""), resource("/mcp"), resource("/sse")];
    let router = protected_resource_metadata(&resources);
    for (path, identifier) in [
        ("", "http://localhost:3232"),
        ("/mcp", "http://localhost:3232/mcp"),
        ("/sse", "http://localhost:3232/sse"),
    ] {
        let uri = format!("/.well-known/oauth-protected-resource{path}");
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let page = Page::read(router.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(page.status, 200);
        let expected = json!({
            "resource": identifier,
            "authorization_servers": ["http://localhost:3232"],
            "scopes_supported": ["mcp:read", "mcp:tools"],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported":
                ["ES256", "ES384", "PS256", "RS256", "Ed25519", "EdDSA"],
            "resource_name": "MCP Everything Server",
        });
        assert_eq!(page.json(), expected);
    }
}

#[tokio::test]
async fn identifiers_are_kept_byte_for_byte() {
    let base = BaseUri::parse("https://Example.com/base/").unwrap();
    let whole = ProtectedResource::new(&base, "", "N", base.as_str());
    let mcp = ProtectedResource::new(&base, "/mcp", "N", base.as_str());
    assert_eq!(whole.resource(), "https://Example.com/base/");
    assert_eq!(mcp.resource(), "https://Example.com/base/mcp");
    let router = protected_resource_metadata([&whole, &mcp]);
    for path in ["/base/mcp", "/mcp"] {
        let uri = format!("/.well-known/oauth-protected-resource{path}");
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let page = Page::read(router.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(page.json()["resource"], "https://Example.com/base/mcp", "{path}");
        assert_eq!(page.json()["authorization_servers"], json!(["https://Example.com/base/"]));
    }
    let challenge = mcp.no_token();
    let challenge = challenge.headers()["www-authenticate"].to_str().unwrap();
    let url = "https://Example.com/.well-known/oauth-protected-resource/base/mcp";
    assert!(challenge.contains(url), "{challenge}");
}
