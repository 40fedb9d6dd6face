use std::collections::HashMap;

use mcp_everything_store::TestRandom;
use serde_json::json;
use url::Url;

use super::*;
use crate::{
    BaseUri,
    params::Params,
    testing::provider::{Asked, Reply, TestProvider},
    upstream::ClientSecret,
};

const TOKEN: &str = "/login/oauth/access_token";

/// A provider of the shape of GitHub's, and this server as it knows it.
struct Trial {
    provider: TestProvider,
    upstream: OAuth2Upstream,
}

impl Trial {
    async fn start() -> Self {
        let provider = TestProvider::start().await;
        let url = |path| ProviderUrl::parse(&provider.url(path)).unwrap();
        let endpoints = Endpoints {
            authorize: url("/login/oauth/authorize?allow_signup=false"),
            token: url(TOKEN),
            userinfo: url("/user"),
        };
        let base = BaseUri::parse("https://mcp.example").unwrap();
        let registration = Registration::new(&base, "us", ClientSecret::new("hush"), Vec::new());
        let random = Arc::new(TestRandom::seeded(1));
        let upstream = OAuth2Upstream::new(endpoints, registration, random);
        provider.on(TOKEN, redeem);
        provider.on("/user", user);
        Self { provider, upstream }
    }

    async fn begin(&self) -> (HashMap<String, String>, String) {
        let departure = self.upstream.begin("the-state").await.unwrap();
        let url = Url::parse(&departure.url).unwrap();
        (url.query_pairs().into_owned().collect(), departure.memo)
    }

    async fn identify(&self, query: &str) -> Result<String, UpstreamError> {
        let params = Params::parse(query.as_bytes()).unwrap();
        let (_, memo) = self.begin().await;
        let user = self.upstream.identify(&Answer(&params), &memo).await?;
        let prefix = format!("{}#", self.provider.url("/user"));
        Ok(user.as_str().strip_prefix(&prefix).unwrap().to_owned())
    }

    async fn gives(&self, token_response: Value) -> Result<String, UpstreamError> {
        self.provider.on(TOKEN, move |_| Reply::json(&token_response));
        self.identify("code=good").await
    }

    async fn is(&self, user: Value) -> Result<String, UpstreamError> {
        self.provider.on("/user", move |_| Reply::json(&user));
        self.identify("code=good").await
    }
}

/// Errors have the status 200, and the form is not JSON unless that is asked for.
fn redeem(asked: &Asked) -> Reply {
    if asked.headers[header::ACCEPT] != "application/json" {
        let kind = "application/x-www-form-urlencoded";
        return Reply::with(StatusCode::OK, kind, "access_token=t&token_type=bearer");
    }
    let error = |name: &str| Reply::json(&json!({ "error": name, "error_description": "x" }));
    match (&*asked.form["client_secret"], &*asked.form["code"]) {
        ("hush", "good") => {
            Reply::json(&json!({ "access_token": "gho_x", "scope": "", "token_type": "bearer" }))
        }
        ("hush", _) => error("bad_verification_code"),
        _ => error("incorrect_client_credentials"),
    }
}

fn user(asked: &Asked) -> Reply {
    let refused = |status, why: &str| {
        let status = StatusCode::from_u16(status).unwrap();
        Reply::with(status, "application/json", &json!({ "message": why }).to_string())
    };
    if !asked.headers.contains_key(header::USER_AGENT) {
        return refused(403, "Request forbidden by administrative rules.");
    }
    if asked.headers[header::AUTHORIZATION] != "Bearer gho_x" {
        return refused(401, "Bad credentials");
    }
    Reply::json(&json!({ "login": "octocat", "id": 583_231, "name": "The Octocat" }))
}

fn is_faulty(outcome: &Result<String, UpstreamError>) -> bool {
    matches!(outcome, Err(UpstreamError::Faulty { .. }))
}

#[tokio::test]
async fn a_user_signs_in() {
    let trial = Trial::start().await;
    let (asked, memo) = trial.begin().await;
    for (name, value) in [
        ("allow_signup", "false"),
        ("response_type", "code"),
        ("client_id", "us"),
        ("redirect_uri", "https://mcp.example/upstream/callback"),
        ("state", "the-state"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    assert!(!asked.contains_key("scope"), "none is wanted");
    let params = Params::parse(b"code=good").unwrap();
    let user = trial.upstream.identify(&Answer(&params), &memo).await.unwrap();
    assert_eq!(user.as_str(), format!("{}#583231", trial.provider.url("/user")));

    let redeemed = trial.provider.asked(TOKEN).remove(0);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&redeemed.form["code_verifier"]));
    assert_eq!(challenge, asked["code_challenge"]);
    assert_eq!(redeemed.form["grant_type"], "authorization_code");
    assert_eq!(redeemed.form["redirect_uri"], asked["redirect_uri"]);
    let (again, _) = trial.begin().await;
    assert_ne!(again["code_challenge"], asked["code_challenge"]);
}

#[tokio::test]
async fn a_user_is_named_by_what_does_not_change() {
    let trial = Trial::start().await;
    for (user, id) in [
        (json!({ "id": 7, "login": "renamed" }), "7"),
        (json!({ "id": "7" }), "7"),
        (json!({ "sub": "auth0|7" }), "auth0|7"),
        (json!({ "sub": "s", "id": 7 }), "s"),
        (json!({ "sub": null, "id": 7 }), "7"),
    ] {
        assert_eq!(trial.is(user.clone()).await.as_deref(), Ok(id), "{user}");
    }
    for user in [
        json!({ "login": "octocat" }),
        json!({ "id": 7.5 }),
        json!({ "id": -7 }),
        json!({ "id": null }),
        json!({ "id": "" }),
        json!({ "id": "a b" }),
        json!({ "id": [7] }),
        json!({ "sub": 1.5, "id": 7 }),
        json!([7]),
        json!("7"),
    ] {
        assert!(is_faulty(&trial.is(user.clone()).await), "{user}");
    }
}

#[tokio::test]
async fn errors_are_found_in_a_good_response_too() {
    let trial = Trial::start().await;
    let bad = trial.identify("code=used").await;
    assert!(matches!(bad, Err(UpstreamError::BadAnswer { .. })), "{bad:?}");
    for error in ["incorrect_client_credentials", "redirect_uri_mismatch", "invalid_client"] {
        assert!(is_faulty(&trial.gives(json!({ "error": error })).await), "{error}");
    }
    // An error beside a token is an error.
    let both = json!({ "error": "x", "access_token": "gho_x", "token_type": "bearer" });
    for response in [
        both,
        json!({}),
        json!([]),
        json!({ "access_token": "gho_x" }),
        json!({ "access_token": "gho_x", "token_type": "mac" }),
        json!({ "access_token": "a\nb", "token_type": "bearer" }),
        json!({ "access_token": 7, "token_type": "bearer" }),
    ] {
        assert!(is_faulty(&trial.gives(response.clone()).await), "{response}");
    }
    assert!(trial.provider.asked("/user").is_empty(), "nobody is asked who that is");
    let refused = trial.gives(json!({ "access_token": "other", "token_type": "bearer" })).await;
    assert!(is_faulty(&refused), "its own endpoint does not take it: {refused:?}");
    let denied = trial.identify("error=access_denied&error_description=x").await;
    assert_eq!(denied, Err(UpstreamError::Denied));
}

#[tokio::test]
async fn what_is_no_answer_names_nobody() {
    let trial = Trial::start().await;
    for path in ["/user", TOKEN] {
        for (status, kind, body, away) in [
            (503, "text/html", "<p>secret</p>", true),
            (429, "application/json", "{}", true),
            (200, "text/html", "<p>secret</p>", false),
            (200, "application/jwt", "secret.secret.secret", false),
            (403, "application/json", r#"{"id":7,"message":"secret"}"#, false),
            (302, "text/html", "", false),
            (204, "application/json", "", false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            trial.provider.on(path, move |_| Reply::with(status, kind, body));
            let outcome = trial.identify("code=good").await;
            let is_away = matches!(outcome, Err(UpstreamError::Unavailable { .. }));
            assert_eq!((is_away, is_faulty(&outcome)), (away, !away), "{path} {status}");
            assert!(!format!("{outcome:?}").contains("secret"), "{outcome:?}");
        }
        trial.provider.on("/user", user);
    }
}
