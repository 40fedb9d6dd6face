use std::time::Duration;

use serde_json::{Value, json};

use crate::testing::{Page, Signer, TestServer};

const URI: &str = "http://localhost/callback";

async fn register(server: &TestServer, document: &Value) -> Page {
    server.post("/register", "application/json", &document.to_string()).await
}

#[tokio::test]
async fn the_least_is_a_redirect_uri() {
    let server = TestServer::new();
    let response = register(&server, &json!({"redirect_uris": [URI]})).await;
    assert_eq!(response.status, 201, "{}", response.body);
    assert_eq!(response.header("cache-control"), "no-store");
    let mut registered = response.json();
    let id = registered["client_id"].take();
    assert!(uuid::Uuid::parse_str(id.as_str().unwrap()).is_ok());
    let secret = registered["client_secret"].take();
    assert!(secret.as_str().unwrap().starts_with("mcs_"));
    let now = registered["client_id_issued_at"].as_u64().unwrap();
    let expected = json!({
        "client_id": null,
        "client_id_issued_at": now,
        "client_secret": null,
        "client_secret_expires_at": now + 30 * 24 * 60 * 60,
        "redirect_uris": [URI],
        // RFC 7591, section 2: the default.
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "mcp:read mcp:tools",
    });
    assert_eq!(registered, expected);
}

#[tokio::test]
async fn what_a_client_says_is_kept() {
    let server = TestServer::new();
    let document = json!({
        "redirect_uris": [URI, "https://client.example/cb", "cursor://a.b/cb"],
        "client_name": "Ein Programm – v2",
        "client_uri": "https://client.example",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "scope": "openid mcp:read",
        "application_type": "native",
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "contacts": ["a@client.example"],
        "logo_uri": null,
        "something_else": {"a": [1]},
    });
    let registered = register(&server, &document).await.json();
    for field in [
        "redirect_uris",
        "client_name",
        "client_uri",
        "token_endpoint_auth_method",
        "grant_types",
        "response_types",
        "application_type",
        "software_id",
        "software_version",
    ] {
        assert_eq!(registered[field], document[field], "{field}");
    }
    assert_eq!(registered["scope"], "mcp:read");
    for absent in ["client_secret", "client_secret_expires_at", "contacts", "something_else"] {
        assert!(registered.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn a_secret_is_kept_as_a_hash_only() {
    let server = TestServer::new();
    for method in ["client_secret_basic", "client_secret_post"] {
        let document = json!({"redirect_uris": [URI], "token_endpoint_auth_method": method});
        let registered = register(&server, &document).await.json();
        let secret = registered["client_secret"].as_str().unwrap();
        let id = registered["client_id"].as_str().unwrap();
        let kept = server.store.client(id).await.unwrap().unwrap();
        assert_eq!(kept.auth.method(), method);
        assert!(!serde_json::to_string(&kept).unwrap().contains(secret));
    }
}

#[tokio::test]
async fn what_cannot_be_offered_is_replaced() {
    let server = TestServer::new();
    let document = json!({
        "redirect_uris": [URI],
        "grant_types": [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            "implicit",
        ],
        "response_types": ["code", "token"],
    });
    let registered = register(&server, &document).await.json();
    assert_eq!(registered["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(registered["response_types"], json!(["code"]));
}

#[tokio::test]
async fn every_field_is_checked() {
    let server = TestServer::new();
    let many = |length: usize| vec![URI; length];
    let uri = "invalid_redirect_uri";
    let metadata = "invalid_client_metadata";
    for (field, value, error) in [
        ("redirect_uris", Value::Null, uri),
        ("redirect_uris", json!([]), uri),
        ("redirect_uris", json!(URI), metadata),
        ("redirect_uris", json!([URI, 1]), metadata),
        ("redirect_uris", json!(many(11)), metadata),
        ("redirect_uris", json!(["http://client.example/"]), uri),
        ("redirect_uris", json!([URI, "javascript:alert(1)"]), uri),
        ("redirect_uris", json!(["JavaScript:alert(1)"]), uri),
        ("redirect_uris", json!(["data:text/html,x"]), uri),
        ("redirect_uris", json!(["file:///etc/passwd"]), uri),
        ("redirect_uris", json!(["https://client.example/#x"]), uri),
        ("redirect_uris", json!([""]), uri),
        ("client_name", json!(7), metadata),
        ("client_name", json!("x".repeat(121)), metadata),
        ("client_name", json!("a\nb"), metadata),
        ("client_name", json!("a\u{202e}b"), metadata),
        ("client_name", json!("a\u{61c}b"), metadata),
        ("client_name", json!("a\u{feff}b"), metadata),
        ("client_uri", json!("javascript:alert(1)"), metadata),
        ("client_uri", json!("client.example"), metadata),
        ("token_endpoint_auth_method", json!("client_secret_jwt"), metadata),
        ("token_endpoint_auth_method", json!("NONE"), metadata),
        ("token_endpoint_auth_method", json!(["none"]), metadata),
        ("grant_types", json!(["implicit"]), metadata),
        ("grant_types", json!(["refresh_token"]), metadata),
        ("grant_types", json!(["client_credentials"]), metadata),
        ("grant_types", json!([]), metadata),
        ("grant_types", json!("authorization_code"), metadata),
        ("response_types", json!(["token"]), metadata),
        ("scope", json!(["mcp:read"]), metadata),
        ("scope", json!("x".repeat(1001)), metadata),
        ("application_type", json!("desktop"), metadata),
        ("software_id", json!("x".repeat(256)), metadata),
        ("software_version", json!({}), metadata),
    ] {
        let mut document = json!({"redirect_uris": [URI]});
        document[field] = value;
        let response = register(&server, &document).await;
        response.assert_error(400, error);
        let description = response.json()["error_description"].to_string();
        assert!(description.contains(field), "{document}: {description}");
    }
}

#[tokio::test]
async fn a_client_with_a_key_has_no_secret() {
    let server = TestServer::new();
    let jwks = json!({"keys": [Signer::es256().jwk(), Signer::rs256().jwk()]});
    for (field, value) in [("jwks", jwks), ("jwks_uri", json!("https://client.example/jwks.json"))]
    {
        let mut document = json!({
            "redirect_uris": [URI],
            "token_endpoint_auth_method": "private_key_jwt",
        });
        document[field] = value.clone();
        let registered = register(&server, &document).await;
        assert_eq!(registered.status, 201, "{}", registered.body);
        let registered = registered.json();
        assert_eq!(registered[field], value);
        assert_eq!(registered["token_endpoint_auth_method"], "private_key_jwt");
        assert!(registered.get("client_secret").is_none());
    }
}

#[tokio::test]
async fn keys_are_checked() {
    let server = TestServer::new();
    let key = Signer::es256().jwk();
    let mut private = key.clone();
    private["d"] = json!("AAAA");
    let jwks = json!({"keys": [key]});
    for (fields, says) in [
        (json!({}), "jwks or jwks_uri"),
        (json!({"jwks": jwks, "jwks_uri": "https://client.example"}), "jwks or jwks_uri"),
        (json!({"jwks": {"keys": []}}), "jwks"),
        (json!({"jwks": {"keys": [private]}}), "private"),
        (json!({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}), "private"),
        (json!({"jwks": "x"}), "jwks"),
        (json!({"jwks_uri": "http://client.example/jwks.json"}), "https"),
        (json!({"jwks_uri": "https://client.example/jwks.json#x"}), "fragment"),
        (json!({"jwks_uri": "jwks.json"}), "jwks_uri"),
        (json!({"jwks_uri": 1}), "jwks_uri"),
    ] {
        let mut document = json!({
            "redirect_uris": [URI],
            "token_endpoint_auth_method": "private_key_jwt",
        });
        document.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let response = register(&server, &document).await;
        response.assert_error(400, "invalid_client_metadata");
        assert!(response.body.contains(says), "{document}: {}", response.body);
    }
}

#[tokio::test]
async fn whoever_registers_gets_no_token_for_itself_unless_that_is_wanted() {
    let both = json!({
        "redirect_uris": [URI],
        "grant_types": ["authorization_code", "client_credentials"],
        "scope": "mcp:read mcp:admin",
    });
    let machine = json!({"grant_types": ["client_credentials"], "scope": "mcp:read mcp:admin"});
    let mut public = machine.clone();
    public["token_endpoint_auth_method"] = json!("none");
    let closed = TestServer::new();
    let registered = register(&closed, &both).await.json();
    assert_eq!(registered["grant_types"], json!(["authorization_code"]));
    assert_eq!(registered["scope"], "mcp:read mcp:admin");

    let open = TestServer::with_config(|config| config.open_client_credentials = true);
    let registered = register(&open, &both).await.json();
    assert_eq!(registered["grant_types"], both["grant_types"]);
    let registered = register(&open, &machine).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let registered = registered.json();
    assert_eq!(registered["scope"], "mcp:read", "nobody is asked for more");
    assert_eq!(registered["redirect_uris"], json!([]));
    assert_eq!(registered["response_types"], json!([]));
    register(&open, &public).await.assert_error(400, "invalid_client_metadata");
}

#[tokio::test]
async fn only_json_objects_of_some_length_are_read() {
    let server = TestServer::new();
    let metadata = "invalid_client_metadata";
    for body in ["", "{", "[]", "null", "\"x\"", "{\"redirect_uris\":[\"http://localhost\"]}}"] {
        let response = server.post("/register", "application/json", body).await;
        response.assert_error(400, metadata);
    }
    let good = json!({"redirect_uris": [URI]}).to_string();
    server.post("/register", "text/plain", &good).await.assert_error(400, metadata);
    let form = "application/x-www-form-urlencoded";
    server.post("/register", form, &good).await.assert_error(400, metadata);
    let long = json!({"redirect_uris": [URI], "x": "x".repeat(20_000)});
    register(&server, &long).await.assert_error(413, metadata);
    let utf8 = server.post("/register", "application/json; charset=utf-8", &good).await;
    assert_eq!(utf8.status, 201);
}

#[tokio::test]
async fn registrations_nobody_uses_make_room_and_then_end() {
    let server = TestServer::with_config(|config| config.max_clients = 2);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let registered = register(&server, &json!({"redirect_uris": [URI]})).await.json();
        ids.push(registered["client_id"].as_str().unwrap().to_owned());
    }
    let there = async |id: &str| server.store.client(id).await.unwrap().is_some();
    assert_eq!((there(&ids[0]).await, there(&ids[1]).await), (false, true));
    for id in &ids[1..] {
        server.store.prolong_client(id, Duration::from_secs(60)).await.unwrap();
    }
    let full = register(&server, &json!({"redirect_uris": [URI]})).await;
    full.assert_error(503, "temporarily_unavailable");
    server.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
    assert!(!there(&ids[2]).await);
}

#[tokio::test]
async fn a_web_application_is_not_on_the_users_own_machine() {
    let server = TestServer::new();
    for (kind, uri, status) in [
        ("web", "https://client.example/cb", 201),
        ("web", "https://localhost.example:8443/cb", 201),
        ("web", "http://localhost/cb", 400),
        ("web", "https://localhost:8443/cb", 400),
        ("web", "https://127.0.0.1/cb", 400),
        ("web", "https://[::1]:1/cb", 400),
        ("web", "cursor://a.b/cb", 400),
        ("native", "http://localhost/cb", 201),
        ("native", "com.example.app:/cb", 201),
        ("native", "https://client.example/claimed", 201),
    ] {
        let uris = ["https://client.example/cb", uri];
        let document = json!({"redirect_uris": uris, "application_type": kind});
        let response = register(&server, &document).await;
        assert_eq!(response.status, status, "{kind} {uri}: {}", response.body);
        if status == 400 {
            response.assert_error(400, "invalid_redirect_uri");
            assert!(response.body.contains("number 2"), "{}", response.body);
        }
    }
}
