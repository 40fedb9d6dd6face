//! Users of an enterprise, whose identity provider says that they may come (ID-JAG).

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, spawn_blocking},
};

use crate::support::{
    Deployment, Mcp, Server, SignIn,
    rows::client,
    signer::{Signer, now, unique},
};

on_every_deployment!(
    a_user_of_an_enterprise_comes_without_asking,
    an_assertion_is_good_once_whichever_instance_it_reaches,
    what_the_provider_does_not_allow_is_not_given,
    nobody_is_believed_unless_that_is_wanted,
);

// Where it is another server that believes the provider.
on_separate_deployments!(
    a_user_of_an_enterprise_comes_without_asking,
    what_the_provider_does_not_allow_is_not_given,
);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An identity provider with one key. It ends with the test.
struct Provider {
    issuer: String,
    signer: Signer,
    task: JoinHandle<()>,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let signer = Signer::new();
        let keys = json!({ "keys": [signer.jwk()] });
        let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(async move || Json(metadata)))
            .route("/keys", get(async move || Json(keys)));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { issuer, signer, task }
    }

    /// A server that trusts it and has found it.
    async fn trusted_by(&self, on: &Deployment) -> Server {
        let server = on.with(&[("ENTERPRISE_ISSUERS", &self.issuer)]);
        // The numbers of those who look for it.
        let instances = server.instances.len();
        let looking =
            if server.trusted.is_some() { instances..instances + 1 } else { 0..instances };
        for instance in looking {
            // On another thread: this one has the provider to run.
            let (log, issuer) = (Arc::clone(&server.log), self.issuer.clone());
            let found = spawn_blocking(move || {
                log.find_after(0, |line| {
                    line.of(instance, "auth.server.found") && line["issuer"] == issuer.as_str()
                })
            });
            assert!(found.await.unwrap().is_some(), "instance {instance} has not found it");
        }
        server
    }

    /// That this user may use this client.
    fn assertion(&self, server: &Server, user: &str, client_id: &str, changes: &Value) -> String {
        let mut claims = json!({
            "iss": self.issuer, "sub": user, "aud": server.issuer(), "client_id": client_id,
            "resource": server.url("/mcp"), "scope": "mcp:read mcp:tools",
            "iat": now(), "exp": now() + 300, "jti": unique(),
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.signer.sign(&json!({ "typ": "oauth-id-jag+jwt" }), &claims)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client that registered.
struct Registered {
    id: String,
    secret: String,
}

async fn register(server: &Server) -> Registered {
    let document = json!({ "client_name": "Of the enterprise", "grant_types": [GRANT] });
    let answer = client().post(server.auth_url("/register")).json(&document).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let registered: Value = answer.json().await.unwrap();
    let text = |name: &str| registered[name].as_str().unwrap().to_owned();
    Registered { id: text("client_id"), secret: text("client_secret") }
}

async fn ask(server: &Server, by: &Registered, assertion: &str) -> Response {
    client()
        .post(server.auth_url("/token"))
        .basic_auth(&by.id, Some(&by.secret))
        .form(&[("grant_type", GRANT), ("assertion", assertion)])
        .send()
        .await
        .unwrap()
}

async fn a_user_of_an_enterprise_comes_without_asking(on: &Deployment) {
    let provider = Provider::start().await;
    let server = provider.trusted_by(on).await;
    let by = register(&server).await;
    let mut clients = Vec::new();
    for user in ["alice", "bob"] {
        let assertion = provider.assertion(&server, user, &by.id, &json!({}));
        let tokens: Value = ask(&server, &by, &assertion).await.json().await.unwrap();
        assert!(tokens.get("refresh_token").is_none(), "{tokens}");
        let mut client = Mcp::new(&server);
        client.token = Some(tokens["access_token"].as_str().unwrap().to_owned());
        client.initialize(json!({})).await;
        let who = client.call("whoami", json!({})).await;
        assert!(who.text().contains(&format!("{} {user}", provider.issuer)), "{who:?}");
        clients.push(client);
    }
    // Neither has the other's session, nor has somebody of the same name who signed in here.
    let alice = SignIn::register(&server).await.tokens("alice").await;
    for stranger in [clients[1].token.clone(), Some(alice.access)] {
        let mut stranger_with_session = clients[0].clone();
        stranger_with_session.token = stranger;
        let refused = stranger_with_session.call("whoami", json!({})).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    }
    let place = server.auth_url("/.well-known/oauth-authorization-server");
    let metadata: Value = client().get(place).send().await.unwrap().json().await.unwrap();
    let profiles = json!(["urn:ietf:params:oauth:grant-profile:id-jag"]);
    assert_eq!(metadata["authorization_grant_profiles_supported"], profiles);
}

async fn an_assertion_is_good_once_whichever_instance_it_reaches(on: &Deployment) {
    let provider = Provider::start().await;
    let server = provider.trusted_by(on).await;
    let by = register(&server).await;
    let assertion = provider.assertion(&server, "alice", &by.id, &json!({}));
    assert_eq!(ask(&server, &by, &assertion).await.status(), StatusCode::OK);
    // As often as there are instances.
    for _ in 0..3 {
        let replayed = ask(&server, &by, &assertion).await;
        assert_eq!(replayed.status(), StatusCode::BAD_REQUEST);
        let error: Value = replayed.json().await.unwrap();
        assert_eq!(error["error"], "invalid_grant");
        assert!(error["error_description"].as_str().unwrap().contains("used before"), "{error}");
    }
    server.logged("auth.token.refused");
    for line in server.log() {
        let line = line.to_string();
        assert!(!assertion.split('.').skip(1).any(|part| line.contains(part)), "{line}");
    }
}

async fn what_the_provider_does_not_allow_is_not_given(on: &Deployment) {
    let provider = Provider::start().await;
    let server = provider.trusted_by(on).await;
    let by = register(&server).await;
    let other = register(&server).await;
    for (changes, error) in [
        (json!({ "aud": "https://elsewhere.example" }), "invalid_grant"),
        (json!({ "client_id": other.id }), "invalid_grant"),
        (json!({ "iss": "https://elsewhere.example" }), "invalid_grant"),
        (json!({ "resource": "https://elsewhere.example" }), "invalid_grant"),
        (json!({ "exp": now() - 60 }), "invalid_grant"),
        (json!({ "exp": now() + 7200 }), "invalid_grant"),
        (json!({ "scope": "nothing:known" }), "invalid_grant"),
    ] {
        let assertion = provider.assertion(&server, "alice", &by.id, &changes);
        let refused = ask(&server, &by, &assertion).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{changes}");
        assert_eq!(refused.json::<Value>().await.unwrap()["error"], error, "{changes}");
    }
    let read = json!({ "scope": "mcp:read" });
    let assertion = provider.assertion(&server, "alice", &by.id, &read);
    let tokens: Value = ask(&server, &by, &assertion).await.json().await.unwrap();
    let mut client = Mcp::new(&server);
    client.token = Some(tokens["access_token"].as_str().unwrap().to_owned());
    client.initialize(json!({})).await;
    let refused = client.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

async fn nobody_is_believed_unless_that_is_wanted(on: &Deployment) {
    let provider = Provider::start().await;
    let server = on.start();
    let document = json!({ "grant_types": [GRANT] });
    let refused = client().post(server.auth_url("/register")).json(&document).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let sign_in = SignIn::register(&server).await;
    let assertion = provider.assertion(&server, "alice", &sign_in.client_id, &json!({}));
    let form =
        [("grant_type", GRANT), ("client_id", &sign_in.client_id), ("assertion", &assertion)];
    let refused = client().post(server.auth_url("/token")).form(&form).send().await.unwrap();
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["error"], "unsupported_grant_type");
}
