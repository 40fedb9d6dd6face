use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, body::Body, http::Request, routing::any};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{ath, proof};
use crate::{
    BaseUri, BearerLayer, Caller, LocalVerifier, ProtectedResource, Scope,
    protected_resource_metadata,
    testing::{Page, Signer, TestServer, VERIFIER, client, form},
};

const URI: &str = "http://localhost:3232/mcp";

fn resource() -> ProtectedResource {
    let base = BaseUri::parse("http://localhost:3232").unwrap();
    ProtectedResource::new(&base, "/mcp", "MCP Everything Server", "http://localhost:3232")
}

fn guarded(server: &TestServer) -> Router {
    let clock = Arc::new(server.clock.clone());
    let verifier = LocalVerifier::new(Arc::clone(&server.store), clock, "http://localhost:3232");
    let door = BearerLayer::new(Arc::new(verifier), Arc::new(resource()), server.context.proofs());
    let who = async |caller: Extension<Caller>, request: Request<Body>| {
        assert!(!request.headers().contains_key("authorization"));
        assert!(!request.headers().contains_key("dpop"), "no use inside");
        format!("{} {}", caller.owner.user, caller.confirmation.is_some())
    };
    Router::new().route("/mcp", any(who)).layer(door)
}

async fn ask(router: &Router, method: &str, authorization: &str, proofs: &[&str]) -> Page {
    let mut request = Request::builder()
        .method(method)
        .uri("/mcp?some=query")
        .header("authorization", authorization);
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    let request = request.body(Body::empty()).unwrap();
    Page::read(router.clone().oneshot(request).await.unwrap()).await
}

/// Two tokens: one bound to the signer's key, one to none.
async fn tokens(server: &TestServer, signer: &Signer) -> (String, String) {
    server.put_client(&client("c")).await;
    let bound = bound(server, signer).await;
    (bound, server.log_in("c", "alice", &[]).await.access)
}

async fn bound(server: &TestServer, signer: &Signer) -> String {
    let code = server.code("c", "alice", &[]).await;
    let request = [
        ("grant_type", "authorization_code"),
        ("client_id", "c"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let nonce = server.context.proofs().nonce();
    let nonce = nonce.map_or(Value::Null, |nonce| json!(nonce.to_str().unwrap()));
    let proof =
        proof(server, signer, "POST", "http://localhost:3232/token", &json!({"nonce": nonce}));
    let request = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("dpop", proof)
        .body(Body::from(form(&request, &[])))
        .unwrap();
    server.send(request).await.tokens().access
}

#[tokio::test]
async fn who_has_token_and_key_comes_in() {
    let server = TestServer::new();
    let signer = Signer::es256();
    let (bound, free) = tokens(&server, &signer).await;
    let router = guarded(&server);
    for method in ["POST", "GET", "DELETE"] {
        for scheme in ["DPoP", "dpop"] {
            let proof = proof(&server, &signer, method, URI, &ath(&bound));
            let page = ask(&router, method, &format!("{scheme} {bound}"), &[&proof]).await;
            assert_eq!((page.status, page.body.as_str()), (200, "alice true"));
            assert!(!page.headers.contains_key("dpop-nonce"));
        }
    }
    let page = ask(&router, "POST", &format!("Bearer {free}"), &[]).await;
    assert_eq!((page.status, page.body.as_str()), (200, "alice false"));
}

#[tokio::test]
async fn a_token_alone_is_not_enough() {
    let server = TestServer::new();
    let signer = Signer::es256();
    let (bound, free) = tokens(&server, &signer).await;
    let router = guarded(&server);
    let made = |signer: &Signer, changes: Value| {
        let mut all = ath(&bound);
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        proof(&server, signer, "POST", URI, &all)
    };
    let good = || made(&signer, json!({}));
    let dpop = format!("DPoP {bound}");
    for (authorization, proofs, status, error, scheme) in [
        (format!("Bearer {bound}"), vec![], 401, "invalid_token", "Bearer"),
        (format!("Bearer {bound}"), vec![good()], 401, "invalid_token", "Bearer"),
        (format!("DPoP {free}"), vec![good()], 401, "invalid_token", "DPoP"),
        ("DPoP mca_x".into(), vec![good()], 401, "invalid_token", "DPoP"),
        ("DPoP".into(), vec![good()], 400, "invalid_request", "DPoP"),
        ("DPoP a b".into(), vec![good()], 400, "invalid_request", "DPoP"),
        (dpop.clone(), vec![], 401, "invalid_dpop_proof", "DPoP"),
        (dpop.clone(), vec![good(), good()], 401, "invalid_dpop_proof", "DPoP"),
        (dpop.clone(), vec!["x".into()], 401, "invalid_dpop_proof", "DPoP"),
        (dpop.clone(), vec![made(&Signer::es256(), json!({}))], 401, "invalid_dpop_proof", "DPoP"),
        (
            dpop.clone(),
            vec![made(&signer, json!({"htm": "GET"}))],
            401,
            "invalid_dpop_proof",
            "DPoP",
        ),
        (
            dpop.clone(),
            vec![made(&signer, json!({"htu": "http://localhost:3232/sse"}))],
            401,
            "invalid_dpop_proof",
            "DPoP",
        ),
        (dpop.clone(), vec![made(&signer, ath(&free))], 401, "invalid_dpop_proof", "DPoP"),
        (
            dpop.clone(),
            vec![made(&signer, json!({"ath": null}))],
            401,
            "invalid_dpop_proof",
            "DPoP",
        ),
        (dpop.clone(), vec![made(&signer, json!({"iat": 1}))], 401, "invalid_dpop_proof", "DPoP"),
    ] {
        let sent: Vec<_> = proofs.iter().map(String::as_str).collect();
        let page = ask(&router, "POST", &authorization, &sent).await;
        page.assert_error(status, error);
        let challenge = page.header("www-authenticate");
        assert!(challenge.starts_with(&format!("{scheme} error=\"{error}\"")), "{challenge}");
        assert!(challenge.contains("resource_metadata=\""), "{challenge}");
        let lists = challenge.contains("algs=\"ES256 ES384 PS256 RS256 Ed25519 EdDSA\"");
        assert_eq!(lists, scheme == "DPoP", "{challenge}");
    }
}

#[tokio::test]
async fn a_proof_is_good_once_and_a_wrong_request_does_not_use_it_up() {
    let server = TestServer::new();
    let signer = Signer::es256();
    let (bound, _) = tokens(&server, &signer).await;
    let router = guarded(&server);
    let (dpop, good) =
        (format!("DPoP {bound}"), proof(&server, &signer, "POST", URI, &ath(&bound)));
    ask(&router, "GET", &dpop, &[&good]).await.assert_error(401, "invalid_dpop_proof");
    assert_eq!(ask(&router, "POST", &dpop, &[&good]).await.status, 200);
    let replayed = ask(&router, "POST", &dpop, &[&good]).await;
    replayed.assert_error(401, "invalid_dpop_proof");
    assert!(replayed.body.contains("used before"), "{}", replayed.body);
}

#[tokio::test]
async fn a_store_that_is_away_is_not_the_proofs_fault() {
    let server = TestServer::new();
    let signer = Signer::es256();
    let (bound, _) = tokens(&server, &signer).await;
    let router = guarded(&server);
    let (dpop, good) =
        (format!("DPoP {bound}"), proof(&server, &signer, "POST", URI, &ath(&bound)));
    for operations in 0..2 {
        server.faults.is_away_after(operations);
        let away = ask(&router, "POST", &dpop, &[&good]).await;
        away.assert_error(503, "temporarily_unavailable");
        assert!(!away.headers.contains_key("www-authenticate"));
        server.faults.is_back();
    }
    assert_eq!(ask(&router, "POST", &dpop, &[&good]).await.status, 200);
}

#[tokio::test]
async fn where_nonces_are_wanted_the_first_try_brings_one() {
    let server = TestServer::with_config(|config| config.dpop_nonces = true);
    let signer = Signer::es256();
    server.put_client(&client("c")).await;
    let bound = bound(&server, &signer).await;
    let router = guarded(&server);
    let dpop = format!("DPoP {bound}");
    let first = proof(&server, &signer, "POST", URI, &ath(&bound));
    let first = ask(&router, "POST", &dpop, &[&first]).await;
    first.assert_error(401, "use_dpop_nonce");
    assert!(first.header("www-authenticate").starts_with("DPoP error=\"use_dpop_nonce\""));
    let mut changes = ath(&bound);
    changes["nonce"] = json!(first.header("dpop-nonce"));
    let second = proof(&server, &signer, "POST", URI, &changes);
    server.clock.advance(Duration::from_secs(60));
    let second = ask(&router, "POST", &dpop, &[&second]).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_ne!(second.header("dpop-nonce"), first.header("dpop-nonce"), "the next one");
}

#[tokio::test]
async fn whoever_asks_is_told_of_both_ways() {
    let server = TestServer::new();
    let router = guarded(&server);
    let request = Request::post("/mcp").body(Body::empty()).unwrap();
    let page = Page::read(router.oneshot(request).await.unwrap()).await;
    let challenges: Vec<_> = page.headers.get_all("www-authenticate").iter().collect();
    // First the one that every client knows.
    assert!(challenges[0].to_str().unwrap().starts_with("Bearer resource_metadata="));
    assert_eq!(challenges[1], "DPoP algs=\"ES256 ES384 PS256 RS256 Ed25519 EdDSA\"");
    assert_eq!(challenges.len(), 2);

    let request = Request::get("/.well-known/oauth-protected-resource/mcp");
    let metadata = protected_resource_metadata([&resource()]);
    let page = metadata.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let metadata = Page::read(page).await.json();
    let algorithms = json!(["ES256", "ES384", "PS256", "RS256", "Ed25519", "EdDSA"]);
    assert_eq!(metadata["dpop_signing_alg_values_supported"], algorithms);
}

#[tokio::test]
async fn more_scope_is_asked_for_in_the_scheme_that_was_used() {
    let server = TestServer::new();
    let signer = Signer::es256();
    let (bound, _) = tokens(&server, &signer).await;
    let clock = Arc::new(server.clock.clone());
    let verifier = LocalVerifier::new(Arc::clone(&server.store), clock, "");
    let caller = crate::TokenVerifier::verify(&verifier, &bound).await.unwrap();
    let page = Page::read(resource().insufficient_scope(&caller, Scope::Admin)).await;
    page.assert_error(403, "insufficient_scope");
    let challenge = page.header("www-authenticate");
    assert!(challenge.starts_with("DPoP error=\"insufficient_scope\""), "{challenge}");
}
