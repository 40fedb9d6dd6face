//! Programs that act for themselves: `private_key_jwt` and `client_credentials`.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    Deployment, Mcp, Server, SignIn,
    rows::client,
    signer::{Signer, now, unique},
};

on_every_deployment!(
    a_program_with_a_key_needs_no_user,
    an_assertion_is_good_once_whichever_instance_it_reaches,
    a_program_with_a_secret_needs_no_user,
    what_it_has_ends_when_it_gives_it_up,
    nobody_registers_for_it_unless_that_is_wanted,
);

// Where another server gives it what it has.
on_separate_deployments!(
    a_program_with_a_key_needs_no_user,
    a_program_with_a_secret_needs_no_user,
    what_it_has_ends_when_it_gives_it_up,
);

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const OPEN: &[(&str, &str)] = &[("OPEN_CLIENT_CREDENTIALS", "on")];

/// A client that registered its key.
struct Program<'a> {
    server: &'a Server,
    http: Client,
    signer: Signer,
    id: String,
}

async fn register(server: &Server, document: &Value) -> Response {
    client().post(server.auth_url("/register")).json(document).send().await.unwrap()
}

impl<'a> Program<'a> {
    async fn register(server: &'a Server) -> Self {
        let signer = Signer::new();
        let document = json!({
            "client_name": "A program",
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": { "keys": [signer.jwk()] },
        });
        let answer = register(server, &document).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let registered: Value = answer.json().await.unwrap();
        let id = registered["client_id"].as_str().unwrap().to_owned();
        Self { server, http: client(), signer, id }
    }

    fn assertion(&self) -> String {
        let claims = json!({
            "iss": self.id, "sub": self.id, "aud": self.server.issuer(),
            "iat": now(), "exp": now() + 300, "jti": unique(),
        });
        self.signer.sign(&json!({ "typ": "JWT" }), &claims)
    }

    async fn post(&self, path: &str, assertion: &str, form: &[(&str, &str)]) -> Response {
        let who = [("client_assertion_type", ASSERTION), ("client_assertion", assertion)];
        let form: Vec<_> = who.iter().chain(form).collect();
        self.http.post(self.server.auth_url(path)).form(&form).send().await.unwrap()
    }

    async fn ask(&self, assertion: &str) -> Response {
        let resource = self.server.url("/mcp");
        let form = [("grant_type", "client_credentials"), ("resource", &resource)];
        self.post("/token", assertion, &form).await
    }
}

fn token(answer: &Value) -> String {
    assert!(answer.get("refresh_token").is_none(), "{answer}");
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn a_program_with_a_key_needs_no_user(on: &Deployment) {
    let server = on.with(OPEN);
    let program = Program::register(&server).await;
    let answer: Value = program.ask(&program.assertion()).await.json().await.unwrap();
    let mut client = Mcp::new(&server);
    client.token = Some(token(&answer));
    client.initialize(json!({})).await;
    let who = client.call("whoami", json!({})).await;
    assert_eq!(who.status, StatusCode::OK);
    let who = who.body.to_string();
    assert!(who.contains(&format!("client {}", program.id)), "{who}");

    // Another program, and a user who would like to be this one, are not it.
    let user = SignIn::register(&server).await.tokens(&format!("client+{}", program.id)).await;
    let other = Program::register(&server).await;
    let other: Value = other.ask(&other.assertion()).await.json().await.unwrap();
    for stranger in [user.access, token(&other)] {
        let mut stranger_with_session = client.clone();
        stranger_with_session.token = Some(stranger);
        let refused = stranger_with_session.call("whoami", json!({})).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    }
}

async fn an_assertion_is_good_once_whichever_instance_it_reaches(on: &Deployment) {
    let server = on.with(OPEN);
    let program = Program::register(&server).await;
    let assertion = program.assertion();
    assert_eq!(program.ask(&assertion).await.status(), StatusCode::OK);
    // As often as there are instances.
    for _ in 0..3 {
        let replayed = program.ask(&assertion).await;
        assert_eq!(replayed.status(), StatusCode::UNAUTHORIZED);
        let error: Value = replayed.json().await.unwrap();
        assert_eq!(error["error"], "invalid_client");
        assert!(error["error_description"].as_str().unwrap().contains("used before"), "{error}");
    }
    assert_eq!(program.ask(&program.assertion()).await.status(), StatusCode::OK);
    server.logged("auth.client.rejected");
    let [_, claims, signature] = assertion.split('.').collect::<Vec<_>>()[..] else { panic!() };
    for line in server.log() {
        let line = line.to_string();
        assert!(!line.contains(claims) && !line.contains(signature), "{line}");
    }
}

async fn a_program_with_a_secret_needs_no_user(on: &Deployment) {
    let server = on.with(OPEN);
    let http = client();
    for method in ["client_secret_basic", "client_secret_post"] {
        let document = json!({
            "grant_types": ["client_credentials"], "token_endpoint_auth_method": method,
            "scope": "mcp:tools mcp:admin",
        });
        let registered: Value = register(&server, &document).await.json().await.unwrap();
        let text = |name: &str| registered[name].as_str().unwrap();
        let (id, secret) = (text("client_id"), text("client_secret"));
        let ask = async |form: &[(&str, &str)]| -> Value {
            let mut form = [&[("grant_type", "client_credentials")], form].concat();
            let request = http.post(server.auth_url("/token"));
            let request = if method == "client_secret_basic" {
                request.basic_auth(id, Some(secret))
            } else {
                form.extend([("client_id", id), ("client_secret", secret)]);
                request
            };
            request.form(&form).send().await.unwrap().json().await.unwrap()
        };
        let resource = server.url("/mcp");
        let answer = ask(&[("resource", &resource)]).await;
        assert_eq!(answer["scope"], "mcp:tools", "{answer}");
        let mut client = Mcp::new(&server);
        client.token = Some(token(&answer));
        client.initialize(json!({})).await;
        let echo = client.call("echo", json!({ "message": "hi" })).await;
        assert_eq!(echo.status, StatusCode::OK);
        assert_eq!(ask(&[("scope", "mcp:admin")]).await["error"], "invalid_scope");
        let elsewhere = [("resource", "https://elsewhere.example")];
        assert_eq!(ask(&elsewhere).await["error"], "invalid_target");
    }
}

async fn what_it_has_ends_when_it_gives_it_up(on: &Deployment) {
    let server = on.with(OPEN);
    let program = Program::register(&server).await;
    let answer: Value = program.ask(&program.assertion()).await.json().await.unwrap();
    let token = token(&answer);
    let mut client = Mcp::new(&server);
    client.token = Some(token.clone());
    client.initialize(json!({})).await;
    let about: Value = program
        .post("/introspect", &program.assertion(), &[("token", &token)])
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(about["active"], true);
    assert_eq!(about["sub"], format!("client {}", program.id));
    let revoked = program.post("/revoke", &program.assertion(), &[("token", &token)]).await;
    assert_eq!(revoked.status(), StatusCode::OK);
    client.is_shut_out(on).await;
}

async fn nobody_registers_for_it_unless_that_is_wanted(on: &Deployment) {
    let server = on.start();
    let document = json!({ "grant_types": ["client_credentials"] });
    let refused = register(&server, &document).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let both = json!({
        "redirect_uris": ["http://127.0.0.1/cb"],
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let registered: Value = register(&server, &both).await.json().await.unwrap();
    assert_eq!(registered["grant_types"], json!(["authorization_code"]));
    let text = |name: &str| registered[name].as_str().unwrap();
    let refused = client()
        .post(server.auth_url("/token"))
        .basic_auth(text("client_id"), Some(text("client_secret")))
        .form(&[("grant_type", "client_credentials")])
        .send();
    let refused: Value = refused.await.unwrap().json().await.unwrap();
    assert_eq!(refused["error"], "unauthorized_client");
}
