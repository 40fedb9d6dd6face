use std::sync::Arc;

use axum::{body::Body, http::Request};
use mcp_everything_store::{Clock as _, oauth::ClientRecord};
use serde_json::{Value, json};

use crate::{
    BaseUri, TrustedIssuers, TrustedServer,
    testing::{
        Answer, Elsewhere, Page, Signer, TestServer, basic, client, confidential, form, logs,
    },
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const OWN: &str = "http://localhost:3232";

/// An enterprise's identity provider, and a server that trusts it.
struct Enterprise {
    provider: Elsewhere,
    signer: Signer,
    server: TestServer,
}

impl Enterprise {
    async fn new() -> Self {
        let (provider, signer) = (Elsewhere::start(), Signer::rs256());
        provider.answer("/keys", Answer::Json(json!({"keys": [signer.jwk()]})));
        let trusted = TrustedServer::new(BaseUri::parse(&provider.issuer).unwrap()).unwrap();
        let trusted = Arc::new(trusted);
        tokio::select! {
            () = trusted.keep_finding() => {}
            () = trusted.found() => {}
        }
        let issuers = TrustedIssuers::new([trusted]);
        let server = TestServer::with_config(|config| config.enterprise_issuers = issuers);
        let grant_types = vec![GRANT.to_owned()];
        let one = ClientRecord { grant_types: grant_types.clone(), ..confidential("c", "secret") };
        server.put_client(&one).await;
        server.put_client(&ClientRecord { grant_types, ..client("public") }).await;
        Self { provider, signer, server }
    }

    /// Right but for the changes; `null` leaves one out.
    fn claims(&self, changes: &Value) -> Value {
        let now = self.server.clock.now().as_secs();
        let mut claims = json!({
            "iss": self.provider.issuer, "sub": "U019488227", "aud": OWN, "client_id": "c",
            "resource": format!("{OWN}/mcp"), "scope": "mcp:read mcp:tools", "iat": now,
            "exp": now + 300, "jti": self.server.unique(),
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    fn assertion_with(&self, header: &Value, changes: &Value) -> String {
        let mut all = json!({"typ": "oauth-id-jag+jwt"});
        all.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
        self.signer.sign(&all, &self.claims(changes))
    }

    fn assertion(&self, changes: &Value) -> String {
        self.assertion_with(&json!({}), changes)
    }

    async fn ask(&self, assertion: &str, changes: &[(&str, &str)]) -> Page {
        let body = form(&[("grant_type", GRANT), ("assertion", assertion)], changes);
        self.server.post_form_as(&basic("c", "secret"), "/token", &body).await
    }

    async fn granted(&self, claims: &Value, changes: &[(&str, &str)]) -> Value {
        let page = self.ask(&self.assertion(claims), changes).await;
        assert_eq!(page.status, 200, "{claims} {changes:?}: {}", page.body);
        page.json()
    }

    async fn about(&self, token: &Value) -> Value {
        let body = format!("token={}", token.as_str().unwrap());
        self.server.post_form_as(&basic("c", "secret"), "/introspect", &body).await.json()
    }
}

#[tokio::test]
async fn what_the_provider_says_of_its_user_counts() {
    let enterprise = Enterprise::new().await;
    let tokens = enterprise.granted(&json!({}), &[]).await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "mcp:read mcp:tools");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens.as_object().unwrap().len(), 4, "no refresh token: {tokens}");
    let about = enterprise.about(&tokens["access_token"]).await;
    let user = format!("{} U019488227", enterprise.provider.issuer);
    assert_eq!(about["sub"], user);
    assert_eq!(about["client_id"], "c");
    assert_eq!(about["aud"], format!("{OWN}/mcp"));
    let grant = TestServer::grant_of(tokens["access_token"].as_str().unwrap());
    let record = enterprise.server.store.grant(&grant).await.unwrap().unwrap().record;
    assert_eq!((record.user, record.client.as_str()), (user, "c"));
    enterprise.server.store.revoke_grant(&grant).await.unwrap();
    assert_eq!(enterprise.about(&tokens["access_token"]).await, json!({"active": false}));
}

#[tokio::test]
async fn metadata_says_so_where_a_provider_is_trusted() {
    let enterprise = Enterprise::new().await;
    let place = "/.well-known/oauth-authorization-server";
    let metadata = enterprise.server.get(place).await.json();
    let profiles = json!(["urn:ietf:params:oauth:grant-profile:id-jag"]);
    assert_eq!(metadata["authorization_grant_profiles_supported"], profiles);
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
    let without = TestServer::new();
    let metadata = without.get(place).await.json();
    assert!(metadata.get("authorization_grant_profiles_supported").is_none());
    assert!(!metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
    let grant_types = vec![GRANT.to_owned()];
    without.put_client(&ClientRecord { grant_types, ..client("c") }).await;
    let request = form(&[("grant_type", GRANT), ("client_id", "c"), ("assertion", "x")], &[]);
    without.post_form("/token", &request).await.assert_error(400, "unsupported_grant_type");
}

#[tokio::test]
async fn a_client_registers_for_it_where_a_provider_is_trusted() {
    let enterprise = Enterprise::new().await;
    let document = json!({"grant_types": [GRANT], "token_endpoint_auth_method": "none"});
    let document = document.to_string();
    let registered = enterprise.server.post("/register", "application/json", &document).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let registered = registered.json();
    assert_eq!(registered["grant_types"], json!([GRANT]));
    let id = registered["client_id"].as_str().unwrap();
    let assertion = enterprise.assertion(&json!({"client_id": id}));
    let request = [("grant_type", GRANT), ("assertion", &assertion), ("client_id", id)];
    let page = enterprise.server.post_form("/token", &form(&request, &[])).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let refused = TestServer::new().post("/register", "application/json", &document).await;
    refused.assert_error(400, "invalid_client_metadata");
}

#[tokio::test]
async fn scope_is_what_the_provider_allows_and_the_client_asks_for() {
    let enterprise = Enterprise::new().await;
    for (allowed, asked, given) in [
        (json!("mcp:read mcp:admin openid"), "", "mcp:read mcp:admin"),
        (json!("mcp:read mcp:tools"), "mcp:read", "mcp:read"),
        (json!("mcp:read"), "mcp:read mcp:tools", "mcp:read"),
        (Value::Null, "", "mcp:read mcp:tools"),
        (Value::Null, "mcp:read mcp:admin", "mcp:read"),
    ] {
        let tokens = enterprise.granted(&json!({"scope": allowed}), &[("scope", asked)]).await;
        assert_eq!(tokens["scope"], given, "{allowed} {asked}");
    }
    for (allowed, asked, error) in [
        (json!("mcp:read"), "mcp:admin", "invalid_scope"),
        (json!("mcp:read"), "nonsense", "invalid_scope"),
        (json!("openid"), "", "invalid_grant"),
        (json!(""), "", "invalid_grant"),
    ] {
        let assertion = enterprise.assertion(&json!({"scope": allowed}));
        enterprise.ask(&assertion, &[("scope", asked)]).await.assert_error(400, error);
    }
}

#[tokio::test]
async fn the_resource_is_the_one_that_the_provider_names() {
    let enterprise = Enterprise::new().await;
    let (mcp, sse) = (format!("{OWN}/mcp"), format!("{OWN}/sse"));
    for (allowed, asked, given) in [
        (json!(sse), "", &sse),
        (json!([sse]), "", &sse),
        (json!([mcp, sse]), sse.as_str(), &sse),
        (json!(format!("{mcp}/")), mcp.as_str(), &mcp),
        (Value::Null, "", &mcp),
        (Value::Null, sse.as_str(), &sse),
    ] {
        let tokens =
            enterprise.granted(&json!({"resource": allowed}), &[("resource", asked)]).await;
        assert_eq!(enterprise.about(&tokens["access_token"]).await["aud"], *given, "{allowed}");
    }
    for (allowed, asked, error) in [
        (json!("https://elsewhere.example/mcp"), "", "invalid_grant"),
        (json!([]), "", "invalid_target"),
        (json!([mcp, sse]), "", "invalid_target"),
        (json!(mcp), sse.as_str(), "invalid_target"),
        (json!("https://elsewhere.example/mcp"), mcp.as_str(), "invalid_target"),
        (Value::Null, "https://elsewhere.example/mcp", "invalid_target"),
    ] {
        let assertion = enterprise.assertion(&json!({"resource": allowed}));
        let page = enterprise.ask(&assertion, &[("resource", asked)]).await;
        page.assert_error(400, error);
    }
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_said() {
    let enterprise = Enterprise::new().await;
    let now = enterprise.server.clock.now().as_secs();
    for (header, changes, says) in [
        (json!({"typ": null}), json!({}), "typ"),
        (json!({"typ": "jwt"}), json!({}), "typ"),
        (json!({"typ": "at+jwt"}), json!({}), "typ"),
        (json!({"alg": "none"}), json!({}), "alg"),
        (json!({"alg": "HS256"}), json!({}), "alg"),
        (json!({"alg": "ES256"}), json!({}), "no key"),
        (json!({"kid": "another"}), json!({}), "no key"),
        (json!({}), json!({"iss": null}), "iss"),
        (json!({}), json!({"iss": "https://elsewhere.example"}), "iss"),
        (json!({}), json!({"iss": format!("{}/", enterprise.provider.issuer)}), "iss"),
        (json!({}), json!({"aud": null}), "aud"),
        (json!({}), json!({"aud": "https://elsewhere.example"}), "aud"),
        (json!({}), json!({"aud": [OWN, "https://elsewhere.example"]}), "aud"),
        (json!({}), json!({"aud": format!("{OWN}/token")}), "aud"),
        (json!({}), json!({"client_id": null}), "client_id"),
        (json!({}), json!({"client_id": "public"}), "client_id"),
        (json!({}), json!({"exp": null}), "exp"),
        (json!({}), json!({"exp": now - 30, "iat": now - 300}), "expired"),
        (json!({}), json!({"exp": now + 1231}), "longer"),
        (json!({}), json!({"iat": null}), "iat"),
        (json!({}), json!({"iat": now + 31}), "not good yet"),
        (json!({}), json!({"nbf": now + 31}), "not good yet"),
        (json!({}), json!({"jti": null}), "jti"),
        (json!({}), json!({"jti": "x".repeat(256)}), "jti"),
        (json!({}), json!({"sub": null}), "sub"),
        (json!({}), json!({"sub": "a b"}), "sub"),
        (json!({}), json!({"sub": ""}), "sub"),
        (json!({}), json!({"sub": 1}), "claims"),
        (json!({}), json!({"x": "x".repeat(9000)}), "8 KiB"),
    ] {
        let page = enterprise.ask(&enterprise.assertion_with(&header, &changes), &[]).await;
        page.assert_error(400, "invalid_grant");
        assert!(page.body.contains(says), "{header} {changes}: {}", page.body);
    }
    let mut thief = Enterprise::new().await;
    thief.provider.issuer.clone_from(&enterprise.provider.issuer);
    for header in [json!({"kid": enterprise.signer.jwk()["kid"]}), json!({"kid": null})] {
        let page = enterprise.ask(&thief.assertion_with(&header, &json!({})), &[]).await;
        page.assert_error(400, "invalid_grant");
        assert!(page.body.contains("signature"), "{}", page.body);
    }
    enterprise.ask("", &[]).await.assert_error(400, "invalid_request");
    enterprise.ask("x", &[]).await.assert_error(400, "invalid_grant");
    // Of another client, a stranger, and nobody.
    let good = enterprise.assertion(&json!({}));
    for (request, status, error) in [
        (&[("client_id", "public")][..], 400, "invalid_grant"),
        (&[("client_id", "c")], 401, "invalid_client"),
        (&[], 401, "invalid_client"),
    ] {
        let usual = [("grant_type", GRANT), ("assertion", good.as_str())];
        let page = enterprise.server.post_form("/token", &form(&usual, request)).await;
        page.assert_error(status, error);
    }
    assert_eq!(enterprise.ask(&good, &[]).await.status, 200, "it was not used up");
}

#[tokio::test]
async fn an_assertion_is_good_once_and_never_logged() {
    let captured = logs::Capture::start();
    let enterprise = Enterprise::new().await;
    let named = json!({"jti": "an-id-of-its-own"});
    let good = enterprise.assertion(&named);
    assert_eq!(enterprise.ask(&good, &[]).await.status, 200);
    for again in [&good, &enterprise.assertion(&named)] {
        let page = enterprise.ask(again, &[]).await;
        page.assert_error(400, "invalid_grant");
        assert!(page.body.contains("used before"), "{}", page.body);
    }
    let other = Enterprise::new().await;
    assert_eq!(other.ask(&other.assertion(&named), &[]).await.status, 200);
    let lines = captured.lines();
    assert!(lines.iter().any(|line| line.contains("auth.token.refused")), "{lines:?}");
    for line in &lines {
        assert!(!line.contains("an-id-of-its-own"), "{line}");
        assert!(!good.split('.').any(|part| line.contains(part)), "{line}");
    }
}

#[tokio::test]
async fn one_that_is_bound_to_a_key_needs_the_key() {
    let enterprise = Enterprise::new().await;
    let holder = Signer::es256();
    let key = crate::jose::PublicKey::parse(&holder.jwk()).unwrap();
    let changes = json!({"cnf": {"jkt": key.thumbprint()}});
    enterprise.ask(&enterprise.assertion(&changes), &[]).await.assert_error(400, "invalid_grant");
    let header = json!({"typ": "dpop+jwt", "kid": null, "jwk": holder.bare_jwk()});
    let claims = json!({
        "htm": "POST", "htu": format!("{OWN}/token"), "jti": "x",
        "iat": enterprise.server.clock.now().as_secs(),
    });
    let assertion = enterprise.assertion(&changes);
    let request = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic("c", "secret"))
        .header("dpop", holder.sign(&header, &claims))
        .body(Body::from(form(&[("grant_type", GRANT), ("assertion", &assertion)], &[])));
    let page = enterprise.server.send(request.unwrap()).await;
    assert_eq!(page.json()["token_type"], "DPoP", "{}", page.body);
}

#[tokio::test]
async fn keys_that_were_changed_are_read_again() {
    let mut enterprise = Enterprise::new().await;
    enterprise.granted(&json!({}), &[]).await;
    enterprise.signer = Signer::es256();
    let keys = json!({"keys": [enterprise.signer.jwk()]});
    enterprise.provider.answer("/keys", Answer::Json(keys));
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(6)).await;
    tokio::time::resume();
    enterprise.granted(&json!({}), &[]).await;
}

#[tokio::test]
async fn a_provider_that_is_away_is_not_the_assertions_fault() {
    let enterprise = Enterprise::new().await;
    enterprise.provider.answer("/keys", Answer::Status(500));
    let assertion = enterprise.assertion(&json!({}));
    let page = enterprise.ask(&assertion, &[]).await;
    page.assert_error(503, "temporarily_unavailable");
    assert!(page.headers.contains_key("retry-after"));
    let unfound = TrustedServer::new(BaseUri::parse("https://idp.example").unwrap()).unwrap();
    let issuers = TrustedIssuers::new([Arc::new(unfound)]);
    let server = TestServer::with_config(|config| config.enterprise_issuers = issuers);
    let grant_types = vec![GRANT.to_owned()];
    server.put_client(&ClientRecord { grant_types, ..client("c") }).await;
    let assertion = enterprise.assertion(&json!({"iss": "https://idp.example"}));
    let request = [("grant_type", GRANT), ("assertion", assertion.as_str()), ("client_id", "c")];
    let page = server.post_form("/token", &form(&request, &[])).await;
    page.assert_error(503, "temporarily_unavailable");
}
