use std::{collections::HashMap, time::Duration};

use axum::http::{StatusCode, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::{TestClock, TestRandom};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::*;
use crate::{
    BaseUri,
    params::Params,
    testing::{
        Signer, basic,
        provider::{Reply, TestProvider},
    },
    upstream::ClientSecret,
};

const METADATA: &str = "/.well-known/openid-configuration";

/// A provider, and this server as it knows it.
struct Trial {
    provider: TestProvider,
    upstream: OpenIdUpstream,
    clock: TestClock,
    key: Signer,
}

impl Trial {
    async fn start() -> Self {
        let trial = Self::away().await;
        trial.says(|_| {});
        trial.has(&trial.key.jwk());
        trial
    }

    /// A provider that knows nothing yet.
    async fn away() -> Self {
        let provider = TestProvider::start().await;
        let issuer = ProviderUrl::parse_issuer(&provider.url("")).unwrap();
        let base = BaseUri::parse("http://localhost:3232").unwrap();
        let scopes = vec!["openid".into(), "x".into()];
        let registration = Registration::new(&base, "us", ClientSecret::new("hush"), scopes);
        let clock = TestClock::default();
        let random = Arc::new(TestRandom::seeded(1));
        let upstream = OpenIdUpstream::new(issuer, registration, Arc::new(clock.clone()), random);
        Self { provider, upstream, clock, key: Signer::es256() }
    }

    /// What its metadata says, but for the changes.
    fn says(&self, change: impl FnOnce(&mut Value)) {
        let mut metadata = json!({
            "issuer": self.provider.url(""),
            "authorization_endpoint": self.provider.url("/authorize?theme=dark"),
            "token_endpoint": self.provider.url("/token"),
            "jwks_uri": self.provider.url("/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256"],
        });
        change(&mut metadata);
        self.provider.on(METADATA, move |_| Reply::json(&metadata));
    }

    fn has(&self, jwk: &Value) {
        let set = json!({ "keys": [jwk] });
        self.provider.on("/jwks", move |_| Reply::json(&set));
    }

    async fn begin(&self) -> (HashMap<String, String>, String) {
        let departure = self.upstream.begin("the-state").await.unwrap();
        let url = Url::parse(&departure.url).unwrap();
        assert_eq!(url.path(), "/authorize");
        (url.query_pairs().into_owned().collect(), departure.memo)
    }

    async fn identify(&self, query: &str, memo: &str) -> Result<String, UpstreamError> {
        let params = Params::parse(query.as_bytes()).unwrap();
        let user = self.upstream.identify(&Answer(&params), memo).await?;
        let prefix = format!("{}#", self.provider.url(""));
        Ok(user.as_str().strip_prefix(&prefix).unwrap().to_owned())
    }

    /// The claims of a good ID token.
    fn claims(&self, nonce: &str) -> Value {
        let now = self.clock.now().as_secs();
        json!({
            "iss": self.provider.url(""), "sub": "alice", "aud": "us",
            "iat": now, "exp": now + 60, "nonce": nonce,
        })
    }

    fn gives(&self, id_token: &str) {
        let body = json!({
            "access_token": "not for us", "token_type": "Bearer", "expires_in": 60,
            "id_token": id_token,
        });
        self.provider.on("/token", move |_| Reply::json(&body));
    }

    /// A whole login, with an ID token that is good but for the changes of its header and claims.
    async fn login(
        &self,
        key: &Signer,
        change: impl FnOnce(&mut Value, &mut Value),
    ) -> Result<String, UpstreamError> {
        let (asked, memo) = self.begin().await;
        let (mut header, mut claims) = (json!({}), self.claims(&asked["nonce"]));
        change(&mut header, &mut claims);
        self.gives(&key.sign(&header, &claims));
        self.identify("code=c", &memo).await
    }
}

#[track_caller]
fn faulty(outcome: Result<String, UpstreamError>) -> String {
    match outcome {
        Err(UpstreamError::Faulty { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

fn is_bad(outcome: &Result<String, UpstreamError>) -> bool {
    matches!(outcome, Err(UpstreamError::BadAnswer { .. }))
}

fn is_away<T>(outcome: &Result<T, UpstreamError>) -> bool {
    matches!(outcome, Err(UpstreamError::Unavailable { .. }))
}

#[tokio::test]
async fn a_user_signs_in() {
    let trial = Trial::start().await;
    let (asked, memo) = trial.begin().await;
    for (name, value) in [
        ("theme", "dark"),
        ("response_type", "code"),
        ("client_id", "us"),
        ("redirect_uri", "http://localhost:3232/upstream/callback"),
        ("scope", "openid x"),
        ("state", "the-state"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    trial.gives(&trial.key.sign(&json!({}), &trial.claims(&asked["nonce"])));
    assert_eq!(trial.identify("code=the+code", &memo).await.as_deref(), Ok("alice"));

    let redeemed = trial.provider.asked("/token").remove(0);
    assert_eq!(redeemed.headers[header::AUTHORIZATION], basic("us", "hush"));
    assert_eq!(redeemed.form["code"], "the code");
    assert_eq!(redeemed.form["redirect_uri"], asked["redirect_uri"]);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&redeemed.form["code_verifier"]));
    assert_eq!(challenge, asked["code_challenge"]);
    assert!(!redeemed.form.contains_key("client_secret"));

    let (again, _) = trial.begin().await;
    for name in ["nonce", "code_challenge"] {
        assert_ne!(again[name], asked[name], "{name}");
    }
    assert_eq!(trial.upstream.provider().unwrap().scopes, ["openid", "x"]);
}

#[tokio::test]
async fn an_id_token_that_is_not_for_this_login_names_nobody() {
    let trial = Trial::start().await;
    assert_eq!(trial.login(&trial.key, |_, _| {}).await.as_deref(), Ok("alice"));
    assert!(is_bad(&trial.login(&trial.key, |_, claims| claims["nonce"] = json!("other")).await));
    assert!(is_bad(&trial.login(&trial.key, |_, claims| claims["nonce"] = Value::Null).await));
    let both = json!(["us", "others"]);
    for (claim, value, says) in [
        ("iss", json!(trial.provider.url("/")), "another issuer"),
        ("iss", json!("https://evil.example"), "another issuer"),
        ("iss", Value::Null, "cannot be read"),
        ("aud", json!("others"), "not for this server alone"),
        ("aud", both, "not for this server alone"),
        ("aud", json!([]), "not for this server alone"),
        ("exp", json!(trial.clock.now().as_secs()), "expired"),
        ("exp", Value::Null, "cannot be read"),
        ("sub", Value::Null, "cannot be read"),
        ("sub", json!("a b"), "visible ASCII"),
        ("sub", json!(""), "visible ASCII"),
    ] {
        let reason =
            faulty(trial.login(&trial.key, |_, claims| claims[claim] = value.clone()).await);
        assert!(reason.contains(says), "{claim} {value}: {reason}");
    }
}

#[tokio::test]
async fn an_id_token_that_is_not_signed_by_the_provider_names_nobody() {
    let trial = Trial::start().await;
    let kid = trial.key.jwk()["kid"].clone();
    let reason = faulty(trial.login(&Signer::es256(), |header, _| header["kid"] = kid).await);
    assert!(reason.contains("signed"), "{reason}");
    for alg in ["none", "HS256", "RS256", "EdDSA", "no such"] {
        let outcome = trial.login(&trial.key, |header, _| header["alg"] = json!(alg)).await;
        assert!(matches!(outcome, Err(UpstreamError::Faulty { .. })), "{alg}: {outcome:?}");
    }
    let (asked, memo) = trial.begin().await;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = part(&trial.claims(&asked["nonce"]));
    trial.gives(&format!("{}.{claims}.", part(&json!({ "alg": "none" }))));
    faulty(trial.identify("code=c", &memo).await);

    // With the client secret, which is no secret of the provider's alone.
    let message = format!("{}.{claims}", part(&json!({ "alg": "HS256" })));
    let key = jsonwebtoken::EncodingKey::from_secret(b"hush");
    let algorithm = jsonwebtoken::Algorithm::HS256;
    let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    trial.gives(&format!("{message}.{mac}"));
    let reason = faulty(trial.identify("code=c", &memo).await);
    assert!(reason.contains("signed"), "{reason}");
}

#[tokio::test]
async fn a_new_key_is_looked_for() {
    let trial = Trial::start().await;
    assert!(trial.login(&trial.key, |_, _| {}).await.is_ok());
    let two = Signer::rs256();
    trial.has(&two.jwk());
    assert!(trial.login(&two, |_, _| {}).await.is_ok());
    assert_eq!(trial.provider.asked("/jwks").len(), 2);
    assert!(trial.login(&two, |_, _| {}).await.is_ok());
    assert_eq!(trial.provider.asked("/jwks").len(), 2, "it is known now");
    faulty(trial.login(&trial.key, |_, _| {}).await);
    // Keys without an id can only be tried.
    for key in [Signer::es256(), Signer::es256()] {
        trial.has(&key.bare_jwk());
        let login = trial.login(&key, |header, _| header["kid"] = Value::Null).await;
        assert!(login.is_ok(), "{login:?}");
    }
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_not_redeemed() {
    let trial = Trial::start().await;
    let (asked, memo) = trial.begin().await;
    trial.gives(&trial.key.sign(&json!({}), &trial.claims(&asked["nonce"])));
    let ours = trial.provider.url("");
    for iss in ["https://evil.example", &format!("{ours}/"), &format!("{ours}&iss={ours}")] {
        assert!(is_bad(&trial.identify(&format!("code=c&iss={iss}"), &memo).await), "{iss}");
        let denied = trial.identify(&format!("error=access_denied&iss={iss}"), &memo).await;
        assert!(is_bad(&denied), "{iss}");
    }
    assert!(trial.provider.asked("/token").is_empty());
    assert!(trial.identify(&format!("code=c&iss={ours}"), &memo).await.is_ok());

    let trial = Trial::away().await;
    trial.has(&trial.key.jwk());
    trial.says(|says| says["authorization_response_iss_parameter_supported"] = json!(true));
    let (asked, memo) = trial.begin().await;
    trial.gives(&trial.key.sign(&json!({}), &trial.claims(&asked["nonce"])));
    assert!(is_bad(&trial.identify("code=c", &memo).await), "it says that it names itself");
    let ours = trial.provider.url("");
    assert!(trial.identify(&format!("code=c&iss={ours}"), &memo).await.is_ok());
}

#[tokio::test]
async fn a_refusal_is_told_apart_from_a_failure() {
    let trial = Trial::start().await;
    let (_, memo) = trial.begin().await;
    assert_eq!(trial.identify("error=access_denied", &memo).await, Err(UpstreamError::Denied));
    assert!(is_away(&trial.identify("error=server_error", &memo).await));
    faulty(trial.identify("error=invalid_scope", &memo).await);
    assert!(is_bad(&trial.identify("x=y", &memo).await));
    assert!(is_bad(&trial.identify("code=c", "").await), "of the fake provider's");
    assert!(trial.provider.asked("/token").is_empty());

    let answer = |status: u16, body: &'static str| {
        let status = StatusCode::from_u16(status).unwrap();
        let kind = if body.starts_with('{') { "application/json" } else { "text/html" };
        trial.provider.on("/token", move |_| Reply::with(status, kind, body));
        trial.identify("code=c", &memo)
    };
    assert!(is_bad(&answer(400, r#"{"error":"invalid_grant"}"#).await));
    for status in [500, 502, 503, 429] {
        assert!(is_away(&answer(status, "<p>secret</p>").await), "{status}");
    }
    for (status, body) in [
        (401, r#"{"error":"invalid_client"}"#),
        (400, r#"{"error":"unauthorized_client"}"#),
        (400, "<p>secret</p>"),
        (200, "<p>secret</p>"),
        (200, "{"),
        (200, ""),
        (302, ""),
        (200, r#"{"access_token":"secret","token_type":"Bearer"}"#),
        (200, r#"{"access_token":"secret","token_type":"Bearer","id_token":"secret"}"#),
        (200, r#"{"access_token":["secret"],"token_type":"Bearer","id_token":7}"#),
    ] {
        let reason = faulty(answer(status, body).await);
        assert!(!reason.contains("secret"), "{reason}");
    }
}

#[tokio::test]
async fn a_provider_that_starts_later_is_found() {
    let trial = Trial::away().await;
    let reason = faulty(trial.upstream.begin("s").await.map(|_| String::new()));
    assert!(reason.contains("404"), "{reason}");
    trial.says(|_| {});
    trial.has(&trial.key.jwk());
    assert!(trial.upstream.begin("s").await.is_err(), "nobody asks for 2 s");
    assert_eq!(trial.provider.asked(METADATA).len(), 1);
    trial.clock.advance(Duration::from_secs(2));
    assert!(trial.upstream.begin("s").await.is_ok());
    assert!(trial.upstream.prepare().await.is_ok());
    assert_eq!(trial.provider.asked(METADATA).len(), 2);
}

#[tokio::test]
async fn what_was_read_goes_on_while_the_provider_is_away() {
    let trial = Trial::start().await;
    assert!(trial.upstream.prepare().await.is_ok());
    trial.clock.advance(Duration::from_secs(60 * 60));
    let broken = |_: &_| Reply::with(StatusCode::BAD_GATEWAY, "text/html", "");
    trial.provider.on(METADATA, broken);
    assert!(trial.login(&trial.key, |_, _| {}).await.is_ok());
    assert_eq!(trial.provider.asked(METADATA).len(), 2, "once for the whole login");
    trial.says(|says| says["authorization_endpoint"] = json!("http://127.0.0.1/authorize"));
    trial.clock.advance(Duration::from_secs(60));
    let (asked, _) = trial.begin().await;
    assert!(!asked.contains_key("theme"), "it has moved");
}

#[tokio::test]
async fn metadata_that_cannot_be_used_says_why() {
    for (field, value, says) in [
        ("issuer", json!("https://evil.example"), "evil.example"),
        ("issuer", Value::Null, "issuer"),
        ("authorization_endpoint", json!("javascript:alert(1)"), "https"),
        ("authorization_endpoint", Value::Null, "authorization_endpoint"),
        ("token_endpoint", Value::Null, "token endpoint"),
        ("jwks_uri", json!("http://127.0.0.1:1/"), "reached"),
        ("token_endpoint_auth_methods_supported", json!(["private_key_jwt"]), "client_secret"),
    ] {
        let trial = Trial::start().await;
        trial.says(|says| says[field] = value.clone());
        let outcome = match trial.upstream.begin("s").await {
            Ok(departure) => trial.identify("code=c", &departure.memo).await,
            Err(error) => Err(error),
        };
        let reason = outcome.unwrap_err().to_string();
        assert!(reason.contains(says), "{field}: {reason}");
    }
    let trial = Trial::away().await;
    trial.provider.on(METADATA, |_| Reply::with(StatusCode::OK, "text/html", "<p>secret</p>"));
    let reason = faulty(trial.upstream.begin("s").await.map(|_| String::new()));
    assert!(!reason.contains("secret"), "{reason}");
}

#[tokio::test]
async fn the_secret_goes_where_the_provider_wants_it() {
    let trial = Trial::start().await;
    trial.says(|says| {
        says["token_endpoint_auth_methods_supported"] = json!(["x", "client_secret_post"]);
    });
    assert!(trial.login(&trial.key, |_, _| {}).await.is_ok());
    let redeemed = trial.provider.asked("/token").remove(0);
    assert_eq!((&*redeemed.form["client_id"], &*redeemed.form["client_secret"]), ("us", "hush"));
    assert!(!redeemed.headers.contains_key(header::AUTHORIZATION));
}
