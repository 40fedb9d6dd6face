use std::time::Duration;

use axum::{body::Body, http::Request};
use mcp_everything_store::oauth::ClientRecord;
use serde_json::{Value, json};

use super::{proof, thumbprint};
use crate::testing::{Page, Signer, TestServer, VERIFIER, basic, client, confidential, form};

const URI: &str = "http://localhost:3232/token";

/// Posts a form to `/token` with these proofs.
async fn post(server: &TestServer, who: Option<&str>, body: &str, proofs: &[&str]) -> Page {
    let mut request =
        Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
    if let Some(authorization) = who {
        request = request.header("authorization", authorization);
    }
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    server.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn good(server: &TestServer, signer: &Signer) -> String {
    proof(server, signer, "POST", URI, &json!({}))
}

async fn exchange(server: &TestServer, code: &str, proofs: &[&str]) -> Page {
    let request = [
        ("grant_type", "authorization_code"),
        ("client_id", "c"),
        ("code", code),
        ("code_verifier", VERIFIER),
    ];
    post(server, None, &form(&request, &[]), proofs).await
}

async fn refresh(server: &TestServer, token: &str, proofs: &[&str]) -> Page {
    let request = [("grant_type", "refresh_token"), ("client_id", "c"), ("refresh_token", token)];
    post(server, None, &form(&request, &[]), proofs).await
}

async fn introspect(server: &TestServer, token: &str) -> Value {
    server.post_form("/introspect", &format!("client_id=c&token={token}")).await.json()
}

#[tokio::test]
async fn a_token_is_bound_to_the_key_that_is_shown() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let signer = Signer::es256();
    let code = server.code("c", "alice", &[]).await;
    let page = exchange(&server, &code, &[&good(&server, &signer)]).await;
    assert_eq!(page.json()["token_type"], "DPoP", "{}", page.body);
    assert!(!page.headers.contains_key("dpop-nonce"));
    let first = page.tokens();
    for token in [&first.access, &first.refresh] {
        let about = introspect(&server, token).await;
        assert_eq!(about["cnf"], json!({"jkt": thumbprint(&signer)}), "{about}");
    }
    assert_eq!(introspect(&server, &first.access).await["token_type"], "DPoP");

    // A client without a secret must show the key again (section 5).
    let other = Signer::es256();
    for proofs in [&[][..], &[&good(&server, &other)]] {
        let proofs: Vec<_> = proofs.iter().map(|proof: &&String| proof.as_str()).collect();
        refresh(&server, &first.refresh, &proofs).await.assert_error(400, "invalid_grant");
    }
    let second = refresh(&server, &first.refresh, &[&good(&server, &signer)]).await;
    assert_eq!(second.json()["token_type"], "DPoP", "{}", second.body);
    let about = introspect(&server, &second.tokens().access).await;
    assert_eq!(about["cnf"]["jkt"], thumbprint(&signer));
}

#[tokio::test]
async fn without_a_proof_it_is_not() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let tokens = server.log_in("c", "alice", &[]).await;
    let about = introspect(&server, &tokens.access).await;
    assert_eq!(about["token_type"], "Bearer");
    assert!(about.get("cnf").is_none());
    // What was begun without a key may go on with one.
    let signer = Signer::es256();
    let page = refresh(&server, &tokens.refresh, &[&good(&server, &signer)]).await;
    assert_eq!(page.json()["token_type"], "DPoP");
    let page = refresh(&server, &page.tokens().refresh, &[]).await;
    assert_eq!(page.json()["token_type"], "Bearer");
}

#[tokio::test]
async fn a_client_with_a_secret_may_change_its_key() {
    let server = TestServer::with_config(|config| config.open_client_credentials = true);
    let grant_types =
        ["authorization_code", "refresh_token", "client_credentials"].map(String::from).to_vec();
    server.put_client(&ClientRecord { grant_types, ..confidential("s", "secret") }).await;
    let who = basic("s", "secret");
    let code = server.code("s", "alice", &[]).await;
    let request = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let one = Signer::es256();
    let first = post(&server, Some(&who), &form(&request, &[]), &[&good(&server, &one)]).await;
    let tokens = first.tokens();
    let request = format!("grant_type=refresh_token&refresh_token={}", tokens.refresh);
    let two = Signer::rs256();
    let second = post(&server, Some(&who), &request, &[&good(&server, &two)]).await;
    assert_eq!(second.json()["token_type"], "DPoP", "{}", second.body);
    let itself = "grant_type=client_credentials";
    let page = post(&server, Some(&who), itself, &[&good(&server, &one)]).await;
    assert_eq!(page.json()["token_type"], "DPoP", "{}", page.body);
}

#[tokio::test]
async fn a_code_may_be_bound_before_it_is_issued() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let signer = Signer::es256();
    let key = thumbprint(&signer);
    let code = server.code("c", "alice", &[("dpop_jkt", &key)]).await;
    exchange(&server, &code, &[]).await.assert_error(400, "invalid_grant");
    let stranger = good(&server, &Signer::es256());
    exchange(&server, &code, &[&stranger]).await.assert_error(400, "invalid_grant");
    let page = exchange(&server, &code, &[&good(&server, &signer)]).await;
    assert_eq!(page.status, 200, "nothing was used up: {}", page.body);
}

#[tokio::test]
async fn a_wrong_proof_gets_nothing_and_uses_nothing_up() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let signer = Signer::es256();
    let code = server.code("c", "alice", &[]).await;
    let (good_one, other) = (good(&server, &signer), good(&server, &signer));
    for proofs in [
        vec![proof(&server, &signer, "GET", URI, &json!({}))],
        vec![proof(&server, &signer, "POST", "http://localhost:3232/mcp", &json!({}))],
        vec![proof(&server, &signer, "POST", URI, &json!({"iat": 1}))],
        vec!["x".to_owned()],
        vec![good_one.clone(), other],
    ] {
        let proofs: Vec<_> = proofs.iter().map(String::as_str).collect();
        exchange(&server, &code, &proofs).await.assert_error(400, "invalid_dpop_proof");
    }
    // A wrong request does not use the proof up either.
    exchange(&server, "x", &[&good_one]).await.assert_error(400, "invalid_grant");
    let tokens = exchange(&server, &code, &[&good_one]).await.tokens();
    let replayed = refresh(&server, &tokens.refresh, &[&good_one]).await;
    replayed.assert_error(400, "invalid_dpop_proof");
    let page = refresh(&server, &tokens.refresh, &[&good(&server, &signer)]).await;
    assert_eq!(page.status, 200, "{}", page.body);
}

#[tokio::test]
async fn a_client_that_says_so_gets_bound_tokens_only() {
    let server = TestServer::new();
    let document = json!({
        "redirect_uris": ["https://client.example/callback"],
        "token_endpoint_auth_method": "none",
        "dpop_bound_access_tokens": true,
    });
    let registered = server.post("/register", "application/json", &document.to_string()).await;
    let registered = registered.json();
    assert_eq!(registered["dpop_bound_access_tokens"], true);
    let id = registered["client_id"].as_str().unwrap();
    let code = server.code(id, "alice", &[]).await;
    let request = [
        ("grant_type", "authorization_code"),
        ("client_id", id),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let request = form(&request, &[]);
    post(&server, None, &request, &[]).await.assert_error(400, "invalid_dpop_proof");
    let page = post(&server, None, &request, &[&good(&server, &Signer::es256())]).await;
    assert_eq!(page.json()["token_type"], "DPoP");
    let mut wrong = document.clone();
    wrong["dpop_bound_access_tokens"] = json!("yes");
    let refused = server.post("/register", "application/json", &wrong.to_string()).await;
    refused.assert_error(400, "invalid_client_metadata");
}

#[tokio::test]
async fn where_nonces_are_wanted_the_first_try_brings_one() {
    let server = TestServer::with_config(|config| config.dpop_nonces = true);
    server.put_client(&client("c")).await;
    let signer = Signer::es256();
    let code = server.code("c", "alice", &[]).await;
    let first = exchange(&server, &code, &[&good(&server, &signer)]).await;
    first.assert_error(400, "use_dpop_nonce");
    let nonce = first.header("dpop-nonce");
    let with_nonce = proof(&server, &signer, "POST", URI, &json!({"nonce": nonce}));
    server.clock.advance(Duration::from_secs(60));
    let second = exchange(&server, &code, &[&with_nonce]).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_ne!(second.header("dpop-nonce"), nonce, "the next one");
    // Nobody needs a nonce for a token that is bound to nothing.
    let code = server.code("c", "alice", &[]).await;
    assert_eq!(exchange(&server, &code, &[]).await.status, 200);
}

#[tokio::test]
async fn nothing_of_a_proof_is_logged() {
    let captured = crate::testing::logs::Capture::start();
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let code = server.code("c", "alice", &[]).await;
    let good = good(&server, &Signer::es256());
    let tokens = exchange(&server, &code, &[&good]).await.tokens();
    refresh(&server, &tokens.refresh, &[&good]).await.assert_error(400, "invalid_dpop_proof");
    let lines = captured.lines();
    assert!(lines.iter().any(|line| line.contains("auth.token.refused")), "{lines:?}");
    for line in &lines {
        assert!(!good.split('.').any(|part| line.contains(part)), "{line}");
    }
}
