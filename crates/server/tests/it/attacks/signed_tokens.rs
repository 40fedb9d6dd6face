//! Tokens that the authorization server elsewhere did not sign, or not for this.

use std::{net::Ipv4Addr, sync::Arc};

use aws_lc_rs::hmac;
use axum::{Json, Router, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    task::{JoinSet, spawn_blocking},
};

use crate::support::{
    Deployment, Mcp, Server,
    signer::{Signer, now},
};

on_every_deployment!(only_what_was_signed_for_here_opens_anything);

/// An authorization server that has keys and answers no questions.
async fn elsewhere(keys: Value) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
    let routes = Router::new()
        .route("/.well-known/oauth-authorization-server", get(async move || Json(metadata)))
        .route("/keys", get(async move || Json(keys)));
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (issuer, serving)
}

/// The server, when every instance of it has found whom it trusts.
async fn trusting(on: &Deployment, issuer: &str) -> Server {
    let server = on.with(&[("AUTH_MODE", "separate"), ("AUTH_SERVER_URL", issuer)]);
    for number in 0..server.instances.len() {
        let log = Arc::clone(&server.log);
        // The authorization server answers meanwhile.
        let found = move || log.find_after(0, |line| line.of(number, "auth.server.found"));
        let found = spawn_blocking(found).await.unwrap();
        found.expect("it finds its authorization server");
    }
    server
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

async fn only_what_was_signed_for_here_opens_anything(on: &Deployment) {
    let (signer, mallory) = (Signer::new(), Signer::new());
    let mut key = signer.jwk();
    key["kid"] = json!("1");
    let (issuer, _serving) = elsewhere(json!({ "keys": [key] })).await;
    let server = trusting(on, &issuer).await;
    let claims = |changes: Value| {
        let mut claims = json!({
            "iss": issuer, "sub": "alice", "aud": server.url("/mcp"), "client_id": "c",
            "scope": "mcp:read mcp:tools", "iat": now(), "exp": now() + 300,
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    };
    let header = json!({ "typ": "at+jwt", "kid": "1" });
    let token = |changes: Value| signer.sign(&header, &claims(changes));
    let good = token(json!({}));
    let mut client = Mcp::new(&server);
    client.token = Some(good.clone());
    client.initialize(json!({})).await;
    client.is_served().await;

    let [head, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let admin = encoded(&claims(json!({ "scope": "mcp:admin" })));
    let none = encoded(&json!({ "alg": "none", "typ": "at+jwt" }));
    let shared = encoded(&json!({ "alg": "HS256", "typ": "at+jwt", "kid": "1" }));
    let public = hmac::Key::new(hmac::HMAC_SHA256, signer.jwk().to_string().as_bytes());
    let tag = hmac::sign(&public, format!("{shared}.{payload}").as_bytes());
    let of_mallory = |header: Value| mallory.sign(&header, &claims(json!({})));
    let attacks = [
        ("no signature at all", format!("{none}.{payload}.")),
        ("none, in other letters", format!("{}.{payload}.", encoded(&json!({ "alg": "nOnE" })))),
        ("its signature left out", format!("{head}.{payload}.")),
        ("the public key as a shared secret", {
            format!("{shared}.{payload}.{}", URL_SAFE_NO_PAD.encode(tag))
        }),
        ("other claims under a good signature", format!("{head}.{admin}.{signature}")),
        ("another key of the same name", of_mallory(header.clone())),
        ("another key of no name", of_mallory(json!({ "typ": "at+jwt" }))),
        ("a key it brings along", of_mallory(json!({ "typ": "at+jwt", "jwk": mallory.jwk() }))),
        ("a key elsewhere", of_mallory(json!({ "kid": "1", "jku": "http://localhost:9/keys" }))),
        ("something critical", {
            signer.sign(&json!({ "typ": "at+jwt", "crit": ["x"], "x": 1 }), &claims(json!({})))
        }),
        ("of another kind", signer.sign(&json!({ "typ": "dpop+jwt" }), &claims(json!({})))),
        ("an ID token", token(json!({ "nonce": "n" }))),
        ("a refresh token", token(json!({ "typ": "Refresh" }))),
        ("bound to a key", token(json!({ "cnf": { "jkt": "x" } }))),
        ("expired", token(json!({ "exp": now() - 60 }))),
        ("good for ever", token(json!({ "exp": null }))),
        ("not good yet", token(json!({ "nbf": now() + 300 }))),
        ("of another issuer", token(json!({ "iss": "https://evil.example" }))),
        ("of the issuer in other letters", token(json!({ "iss": issuer.to_uppercase() }))),
        ("of nobody", token(json!({ "iss": null }))),
        ("for another resource", token(json!({ "aud": "https://other.example/mcp" }))),
        ("for the other transport", token(json!({ "aud": server.url("/sse") }))),
        ("for nobody", token(json!({ "aud": null }))),
        ("about nobody", token(json!({ "sub": null }))),
    ];
    for (what, forged) in attacks {
        client.token = Some(forged);
        let refused = client.call("echo", json!({ "message": "hi" })).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{what}: {:?}", refused.body);
        assert_eq!(refused.body["error"], "invalid_token", "{what}");
    }
    client.token = Some(good);
    client.is_served().await;
}
