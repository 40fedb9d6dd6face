//! Tokens that are bound to a key (RFC 9449).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{
    Answer, Deployment, Mcp, Server, SignIn, Stream, VERIFIER, call, initialize,
    rows::client,
    signer::{Signer, now, unique},
    soon,
};

on_every_deployment!(
    who_has_the_key_is_served_at_every_door,
    a_proof_is_good_once_whichever_instance_it_reaches,
    a_stolen_token_opens_nothing,
    refreshing_needs_the_key_too,
    a_program_binds_its_token_as_well,
    a_nonce_of_one_instance_is_good_at_all,
    scripts_of_allowed_origins_read_what_they_need,
);

on_separate_deployments!(
    who_has_the_key_is_served_at_every_door,
    a_proof_is_good_once_whichever_instance_it_reaches,
    a_stolen_token_opens_nothing,
    refreshing_needs_the_key_too,
);

/// Somebody with a key, and in the end a token that is bound to it.
struct Holder<'a> {
    server: &'a Server,
    http: Client,
    signer: Signer,
    token: Option<String>,
    nonce: Option<String>,
}

impl<'a> Holder<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, http: client(), signer: Signer::new(), token: None, nonce: None }
    }

    /// Signed in as `user`.
    async fn of(server: &'a Server, user: &str) -> (Self, Value) {
        let mut holder = Self::new(server);
        let sign_in = SignIn::register(server).await;
        let code = sign_in.code(user).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &sign_in.client_id),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ];
        let mut tokens: Value = holder.token_request(&form).await.json().await.unwrap();
        assert_eq!(tokens["token_type"], "DPoP", "{tokens}");
        holder.token = tokens["access_token"].as_str().map(str::to_owned);
        tokens["client_id"] = json!(sign_in.client_id);
        (holder, tokens)
    }

    fn proof(&self, method: &str, path: &str) -> String {
        let is_token = path == "/token";
        let url = if is_token { self.server.auth_url(path) } else { self.server.url(path) };
        let htu = url.split('?').next().unwrap();
        let mut claims = json!({ "htm": method, "htu": htu, "iat": now(), "jti": unique() });
        if let Some(token) = self.token.as_ref().filter(|_| !is_token) {
            claims["ath"] = json!(URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
        }
        if let Some(nonce) = &self.nonce {
            claims["nonce"] = json!(nonce);
        }
        let header = json!({ "typ": "dpop+jwt", "jwk": self.signer.jwk() });
        self.signer.sign(&header, &claims)
    }

    async fn token_request(&self, form: &[(&str, &str)]) -> Response {
        let proof = self.proof("POST", "/token");
        let url = self.server.auth_url("/token");
        self.http.post(url).header("dpop", proof).form(&form).send().await.unwrap()
    }

    /// A request with the token and this proof.
    fn with(&self, method: Method, path: &str, proof: &str) -> RequestBuilder {
        let token = self.token.as_ref().unwrap();
        self.http
            .request(method, self.server.url(path))
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", proof)
            .header("accept", "application/json, text/event-stream")
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let proof = self.proof(method.as_str(), path);
        self.with(method, path, &proof)
    }
}

async fn answer(request: RequestBuilder) -> Answer {
    Answer::of(soon(request.send()).await.unwrap()).await
}

fn challenge(answer: &Answer) -> &str {
    answer.headers["www-authenticate"].to_str().unwrap()
}

async fn who_has_the_key_is_served_at_every_door(on: &Deployment) {
    let server = on.start();
    let (holder, _) = Holder::of(&server, "alice").await;
    let begun = answer(holder.request(Method::POST, "/mcp").json(&initialize(&json!({})))).await;
    assert_eq!(begun.status, StatusCode::OK, "{:?}", begun.body);
    let session = begun.headers["mcp-session-id"].to_str().unwrap();
    let ask = |method| holder.request(method, "/mcp").header("mcp-session-id", session);
    let who = answer(ask(Method::POST).json(&call(1, "whoami", &json!({})))).await;
    assert!(who.text().contains("alice"), "{who:?}");
    Stream::of(soon(ask(Method::GET).send()).await.unwrap());
    assert_eq!(answer(ask(Method::DELETE)).await.status, StatusCode::NO_CONTENT);

    let mut stream = Stream::of(soon(holder.request(Method::GET, "/sse").send()).await.unwrap());
    let endpoint = stream.next().await.unwrap();
    let endpoint = endpoint.as_str().unwrap();
    let sent = answer(holder.request(Method::POST, endpoint).json(&initialize(&json!({})))).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{:?}", sent.body);
    assert_eq!(stream.next().await.unwrap()["id"], 0);
    let elsewhere = holder.proof("POST", "/sse");
    let wrong = holder.with(Method::POST, endpoint, &elsewhere).json(&initialize(&json!({})));
    assert_eq!(answer(wrong).await.status, StatusCode::UNAUTHORIZED);
}

async fn a_proof_is_good_once_whichever_instance_it_reaches(on: &Deployment) {
    let server = on.start();
    let (holder, _) = Holder::of(&server, "alice").await;
    let proof = holder.proof("POST", "/mcp");
    let message = initialize(&json!({}));
    let ask = || answer(holder.with(Method::POST, "/mcp", &proof).json(&message));
    assert_eq!(ask().await.status, StatusCode::OK);
    // As often as there are instances.
    for _ in 0..3 {
        let replayed = ask().await;
        assert_eq!(replayed.status, StatusCode::UNAUTHORIZED);
        let challenge = challenge(&replayed);
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{challenge}");
        assert!(challenge.contains("used before"), "{challenge}");
    }
    let line = server.logged("auth.token.rejected").to_string();
    assert!(!proof.split('.').any(|part| line.contains(part)), "{line}");
    // At one time, too.
    let proof = holder.proof("POST", "/mcp");
    let ask = || answer(holder.with(Method::POST, "/mcp", &proof).json(&message));
    let answers = futures::future::join_all((0..6).map(|_| ask())).await;
    let passed = answers.iter().filter(|answer| answer.status == StatusCode::OK);
    assert_eq!(passed.count(), 1);
}

async fn a_stolen_token_opens_nothing(on: &Deployment) {
    let server = on.start();
    let (holder, _) = Holder::of(&server, "alice").await;
    let mut thief = Mcp::new(&server);
    thief.token.clone_from(&holder.token);
    let alone = thief.post(&initialize(&json!({}))).await;
    assert_eq!(alone.status, StatusCode::UNAUTHORIZED);
    assert!(challenge(&alone).starts_with("Bearer error=\"invalid_token\""), "{alone:?}");
    let thief = Holder { token: holder.token.clone(), ..Holder::new(&server) };
    for path in ["/mcp", "/sse", "/message?sessionId=x"] {
        let method = if path == "/sse" { Method::GET } else { Method::POST };
        let refused = answer(thief.request(method, path)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
        let challenge = challenge(&refused);
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{challenge}");
        assert!(challenge.contains("algs=\"ES256 "), "{challenge}");
    }
}

async fn refreshing_needs_the_key_too(on: &Deployment) {
    let server = on.start();
    let (mut holder, tokens) = Holder::of(&server, "alice").await;
    let text = |name: &str| tokens[name].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", text("client_id")),
        ("refresh_token", text("refresh_token")),
    ];
    let alone = client().post(server.auth_url("/token")).form(&form).send().await.unwrap();
    assert_eq!(alone.status(), StatusCode::BAD_REQUEST);
    let error: Value = alone.json().await.unwrap();
    assert_eq!(error["error"], "invalid_grant");
    let refused = Holder::new(&server).token_request(&form).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let refreshed: Value = holder.token_request(&form).await.json().await.unwrap();
    assert_eq!(refreshed["token_type"], "DPoP", "{refreshed}");
    holder.token = refreshed["access_token"].as_str().map(str::to_owned);
    let passed = answer(holder.request(Method::POST, "/mcp").json(&initialize(&json!({})))).await;
    assert_eq!(passed.status, StatusCode::OK);
    let form = [("token", text("refresh_token")), ("client_id", text("client_id"))];
    let about = client().post(server.auth_url("/introspect")).form(&form).send().await.unwrap();
    let about: Value = about.json().await.unwrap();
    assert_eq!(about["cnf"]["jkt"].as_str().unwrap().len(), 43, "{about}");
}

async fn a_program_binds_its_token_as_well(on: &Deployment) {
    let server = on.with(&[("OPEN_CLIENT_CREDENTIALS", "on")]);
    let document = json!({
        "grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_post",
        "dpop_bound_access_tokens": true,
    });
    let registered = client().post(server.url("/register")).json(&document).send().await.unwrap();
    let registered: Value = registered.json().await.unwrap();
    let text = |name: &str| registered[name].as_str().unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", text("client_id")),
        ("client_secret", text("client_secret")),
    ];
    let alone = client().post(server.url("/token")).form(&form).send().await.unwrap();
    let alone: Value = alone.json().await.unwrap();
    assert_eq!(alone["error"], "invalid_dpop_proof", "it said that it always has a key");
    let mut holder = Holder::new(&server);
    let tokens: Value = holder.token_request(&form).await.json().await.unwrap();
    assert_eq!(tokens["token_type"], "DPoP", "{tokens}");
    holder.token = tokens["access_token"].as_str().map(str::to_owned);
    let passed = answer(holder.request(Method::POST, "/mcp").json(&initialize(&json!({})))).await;
    assert_eq!(passed.status, StatusCode::OK);
}

async fn a_nonce_of_one_instance_is_good_at_all(on: &Deployment) {
    let server = on.with(&[("DPOP_NONCES", "on")]);
    let sign_in = SignIn::register(&server).await;
    let code = sign_in.code("alice").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", &sign_in.client_id),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let mut holder = Holder::new(&server);
    let first = Answer::of(holder.token_request(&form).await).await;
    assert_eq!(first.status, StatusCode::BAD_REQUEST);
    assert_eq!(first.body["error"], "use_dpop_nonce");
    let nonce = |answer: &Answer| answer.headers["dpop-nonce"].to_str().unwrap().to_owned();
    holder.nonce = Some(nonce(&first));
    let second = Answer::of(holder.token_request(&form).await).await;
    assert_eq!(second.status, StatusCode::OK, "{:?}", second.body);
    holder.token = second.body["access_token"].as_str().map(str::to_owned);
    for _ in 0..3 {
        let passed = holder.request(Method::POST, "/mcp").json(&initialize(&json!({})));
        let passed = answer(passed).await;
        assert_eq!(passed.status, StatusCode::OK, "{:?}", passed.body);
        holder.nonce = Some(nonce(&passed));
    }
    holder.nonce = None;
    let refused = answer(holder.request(Method::POST, "/mcp")).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(challenge(&refused).starts_with("DPoP error=\"use_dpop_nonce\""), "{refused:?}");
    nonce(&refused);
}

async fn scripts_of_allowed_origins_read_what_they_need(on: &Deployment) {
    let server = on.with(&[("DPOP_NONCES", "on")]);
    // As often as there are instances.
    for path in ["/mcp", "/token"].repeat(3) {
        let request = client().post(server.url(path)).header("origin", "http://localhost:6274");
        let refused = answer(request.header("dpop", "x")).await;
        let exposed = refused.headers["access-control-expose-headers"].to_str().unwrap();
        let exposed = exposed.to_ascii_lowercase();
        for header in ["dpop-nonce", "www-authenticate"] {
            assert!(exposed.contains(header), "{path}: {exposed}");
        }
    }
}
