//! No token, code, verifier or other secret is in any line of any log. Every test looks
//! ([`crate::support::secrets`]); here is shown that it would find one, and what is written when
//! everything is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::support::{Deployment, Log, Mcp, SignIn, Sse, VERIFIER, secrets};

on_every_deployment!(no_secret_is_written_at_any_level);
on_separate_deployments!(no_secret_is_written_at_any_level);

/// Lines of ours, and of every library that writes any.
const EVERYTHING: &str = "trace,rmcp=trace,reqwest=trace,hyper=trace,hyper_util=trace,h2=trace,\
    tower=trace,tower_http=trace,axum=trace,rustls=trace,redis=trace,cookie_store=trace,\
    cookie=trace,mcp_everything_store=trace,mcp_everything_oauth=trace";

const KEY: &str = "a-key-of-the-operator-of-this-very-server-0123456789";

/// What the log says of a line like this at the end of a test, if it says anything.
fn complaint(line: Value) -> Option<String> {
    let log = Log::default();
    log.add(0, line);
    let end = catch_unwind(AssertUnwindSafe(|| drop(log)));
    end.err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

/// That a line with this value in it fails the test that it is written in, by its event and without
/// saying it once more.
#[track_caller]
fn is_found(value: &str) {
    let told = complaint(json!({ "event": "some.event", "target": "some", "field": value }));
    let told = told.unwrap_or_else(|| panic!("{value} is not found"));
    assert!(told.contains("some.event") && !told.contains(value), "{told}");
}

#[test]
fn a_log_with_a_secret_in_it_fails_its_test() {
    let secret = "hush \"hush\" 1+1/2?";
    assert_eq!(complaint(json!({ "event": "some.event", "field": secret })), None, "not yet");
    secrets::seen(secret);
    is_found(secret);
    is_found(&format!("somewhere in {secret} the middle"));
    is_found("x=hush+%22hush%22+1%2B1%2F2%3F&y");
    is_found("hush%20%22hush%22%201%2B1%2F2%3F");
    for before in ["", "a", "ab", "client_id:"] {
        is_found(&format!("Unknown {}", STANDARD.encode(format!("{before}{secret}"))));
        is_found(&URL_SAFE_NO_PAD.encode(format!("{before}{secret} and more")));
    }
    let long = "0123456789".repeat(100);
    secrets::seen(&long);
    is_found(&long[..512]);
}

#[test]
fn what_looks_like_a_secret_is_one() {
    for value in [
        "mca_0123456789abcdef",
        "mcc_0123456789abcdef",
        "mcr_0123456789abcdef",
        "mcs_0123456789abcdef",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRwb3Arand0In0.eyJqdGkiOiIx",
        "Authorization: Bearer abcdefghijklmnop",
        "Basic YTpiOmM6ZDplOmY6",
    ] {
        is_found(&format!("this is {value}"));
    }
    for value in ["mca_", "the header is not one Bearer token", "the Basic credentials", "eyJ"] {
        assert_eq!(complaint(json!({ "event": "some.event", "field": value })), None, "{value}");
    }
}

async fn no_secret_is_written_at_any_level(on: &Deployment) {
    let server = on.with(&[("RUST_LOG", EVERYTHING), ("SECRET_KEYS", KEY)]);
    assert!(secrets::is_seen(KEY));
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    for secret in [&tokens.access, &tokens.refresh, VERIFIER] {
        assert!(secrets::is_seen(secret), "it passed through here");
    }

    // A client with a secret, in the header and in the body.
    let http = &sign_in.browser.http;
    for method in ["client_secret_basic", "client_secret_post"] {
        let document = json!({
            "redirect_uris": [sign_in.redirect_uri], "token_endpoint_auth_method": method
        });
        let answer = http.post(server.auth_url("/register")).json(&document).send().await.unwrap();
        let registered: Value = answer.json().await.unwrap();
        secrets::seen_in_json(&registered);
        let text = |field: &str| registered[field].as_str().unwrap();
        let (id, secret) = (text("client_id"), text("client_secret"));
        let mut form = vec![("token", tokens.access.as_str())];
        let mut request = http.post(server.auth_url("/introspect"));
        if method == "client_secret_basic" {
            request = request.basic_auth(id, Some(secret));
        } else {
            form.extend([("client_id", id), ("client_secret", secret)]);
        }
        let told: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
        assert_eq!(told["active"], true);
    }

    // What is right, what is wrong, and what was used before.
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.refresh),
        ("client_id", &tokens.client_id),
    ];
    for _ in 0..2 {
        let answer = http.post(server.auth_url("/token")).form(&refresh).send().await.unwrap();
        secrets::seen_in_json(&answer.json().await.unwrap());
    }
    let code = sign_in.code("alice").await;
    for _ in 0..2 {
        let answer = sign_in.redeem(&code).await;
        secrets::seen_in_json(&answer.json().await.unwrap());
    }
    sign_in.redeem("mcc_this-is-a-code-that-nobody-was-ever-given-here").await;

    // With a session, with the older transport, and with a token that is good for nothing.
    let client = Mcp::of(&server, "bob").await;
    client.is_served().await;
    let mut sse = Sse::of(&server, "carol").await;
    assert_eq!(sse.call("echo", json!({ "message": "hi" })).await, "Echo: hi");
    let mut stranger = Mcp::new(&server);
    stranger.token = Some("mca_this-is-a-token-that-nobody-was-ever-given".into());
    stranger.get(None).await;
    let form = [("token", tokens.refresh.as_str()), ("client_id", &tokens.client_id)];
    http.post(server.auth_url("/revoke")).form(&form).send().await.unwrap();
    client.delete().await;
    server.logged("session.ended");
}
