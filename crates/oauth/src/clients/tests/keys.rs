//! The keys of a client that describes itself.

use super::*;

/// `private_key_jwt`, with keys at a URL that change.
#[tokio::test]
async fn keys_at_a_url_are_read_and_read_anew_when_one_is_missing() {
    let (old, new) = (Signer::es256(), Signer::es256());
    let sets = [json!({"keys": [old.jwk()]}), json!({"keys": [old.jwk(), new.jwk()]})];
    let host = HttpsServer::start({
        let asked = std::sync::atomic::AtomicUsize::new(0);
        move |path, host| {
            let url = format!("https://{host}{path}");
            if path != "/jwks" {
                let mut document = document(&url);
                document["token_endpoint_auth_method"] = json!("private_key_jwt");
                document["jwks_uri"] = json!(format!("https://{host}/jwks"));
                return Answer::ok(JSON, &document.to_string());
            }
            let number = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Answer::ok("application/jwk-set+json", &sets[number.min(1)].to_string())
        }
    })
    .await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let id = host.url("/client.json");
    let mut number = 0;
    let mut redeem = async |signer: &Signer| {
        let code = server.code(&id, "alice", &[]).await;
        number += 1;
        let now = mcp_everything_store::Clock::now(&server.clock).as_secs();
        let claims = json!({
            "iss": id, "sub": id, "aud": "http://localhost:3232", "exp": now + 60,
            "jti": number.to_string(),
        });
        let assertion = signer.sign(&json!({}), &claims);
        let request = [
            ("grant_type", "authorization_code"),
            ("client_id", id.as_str()),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        server.post_form("/token", &form(&request, &[])).await
    };
    assert_eq!(redeem(&old).await.status, 200);
    redeem(&new).await.assert_error(401, "invalid_client");
    assert_eq!(host.asked().len(), 2, "just now it was read");
    server.clock.advance(Duration::from_secs(61));
    assert_eq!(redeem(&new).await.status, 200);
    assert_eq!(host.asked().len(), 3);
    assert_eq!(redeem(&old).await.status, 200);
    let public = [("grant_type", "refresh_token"), ("client_id", id.as_str())];
    let public = server.post_form("/token", &form(&public, &[])).await;
    public.assert_error(401, "invalid_client");
}

#[tokio::test]
async fn keys_are_fetched_as_carefully_as_documents() {
    let host = HttpsServer::start(|path, _| match path {
        "/moved" => Answer::with("302 Found", &[("location", "/jwks")], ""),
        "/html" => Answer::ok("text/html", "{\"keys\":[]}"),
        "/long" => Answer::ok(JSON, &" ".repeat(32 * 1024 + 1)),
        "/private" => Answer::ok(JSON, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"),
        _ => Answer::ok(JSON, "{\"keys\":[]}"),
    })
    .await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let reason = async |url: String| {
        let keys = ClientKeys::JwksUri(url);
        match server.context.client_keys(&keys, |_| true).await {
            Err(LookupError::Document(error)) => error.reason(),
            Err(LookupError::Store(error)) => panic!("{error}"),
            Ok(_) => "none",
        }
    };
    for (url, why) in [
        (host.url("/moved"), "status"),
        (host.url("/html"), "not_json"),
        (host.url("/long"), "too_long"),
        (host.url("/private"), "keys"),
        (host.url("/empty"), "keys"),
        ("https://169.254.169.254/jwks".into(), "address_not_public"),
        ("http://localhost/jwks".into(), "not_https"),
        ("not a url".into(), "not_https"),
    ] {
        assert_eq!(reason(url.clone()).await, why, "{url}");
    }
}
