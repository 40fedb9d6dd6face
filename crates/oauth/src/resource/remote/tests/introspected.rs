//! Asking about tokens.

use super::*;

/// A server that says this of every token.
fn saying(changes: &Value) -> Elsewhere {
    let server = Elsewhere::start();
    server.answer("/introspect", Answer::Json(active(&server, changes)));
    server
}

fn active(server: &Elsewhere, changes: &Value) -> Value {
    let mut said = claims(server, TestClock::default().now().as_secs(), changes);
    said["active"] = json!(true);
    said
}

fn client() -> RemoteTokens {
    let introspection_client = Some(IntrospectionClient::new("me", "hush"));
    RemoteTokens { introspection_client, ..RemoteTokens::default() }
}

#[tokio::test]
async fn a_caller_is_who_the_server_says() {
    let server = saying(&json!({}));
    let verifier = Verifier::with(&server, client()).await;
    let caller = verifier.verify("opaque").await.unwrap();
    assert_eq!(caller.owner.user, "alice");
    assert_eq!(caller.owner.issuer, server.issuer);
    assert_eq!(caller.owner.client, "the client");
    assert_eq!(caller.scopes.to_string(), "mcp:read");
    assert_eq!(caller.audience, [format!("{BASE}/mcp")]);
    assert_eq!(caller.expires_at.as_secs(), verifier.now() + 630);
    let asked = server.asked("/introspect").remove(0);
    assert_eq!(asked.body, "token=opaque&token_type_hint=access_token");
    assert_eq!(asked.authorization.as_deref(), Some("Basic bWU6aHVzaA=="));
}

#[tokio::test]
async fn the_server_is_not_asked_twice_in_a_few_seconds() {
    let server = saying(&json!({}));
    let verifier = Verifier::with(&server, client()).await;
    verifier.verify("a").await.unwrap();
    server.answer("/introspect", Answer::Json(json!({"active": false})));
    verifier.verify("a").await.unwrap();
    assert_eq!(Verifier::flaw(verifier.verify("b").await), Flaw::Unknown);
    assert_eq!(server.asked("/introspect").len(), 2);
    verifier.clock.advance(Duration::from_secs(5));
    assert_eq!(Verifier::flaw(verifier.verify("a").await), Flaw::Unknown);
}

#[tokio::test]
async fn what_is_active_may_still_not_be_for_here() {
    let server = saying(&json!({}));
    let verifier = Verifier::with(&server, client()).await;
    for (changes, flaw) in [
        (json!({"iss": "https://other.example"}), Flaw::Issuer),
        (json!({"exp": verifier.now() - 31}), Flaw::Expired),
        (json!({"nbf": verifier.now() + 31}), Flaw::NotYet),
        (json!({"aud": null}), Flaw::Audience),
        (json!({"sub": null}), Flaw::User),
        (json!({"sub": "a\nb"}), Flaw::User),
        (json!({"token_type": "refresh_token"}), Flaw::Kind),
        (json!({"token_type": "DPoP"}), Flaw::Bound),
        (json!({"cnf": {"x5t#S256": "x"}}), Flaw::Bound),
    ] {
        server.answer("/introspect", Answer::Json(active(&server, &changes)));
        assert_eq!(Verifier::flaw(verifier.verify("a").await), flaw, "{changes}");
    }
    for (changes, audience) in [
        (json!({"iss": null, "exp": null}), "/mcp"),
        (json!({"token_type": "bearer"}), "/mcp"),
        // A client of ours that acts for itself.
        (json!({"sub": crate::subject::of_client("m")}), "/mcp"),
        (json!({"aud": ["x", BASE]}), ""),
    ] {
        server.answer("/introspect", Answer::Json(active(&server, &changes)));
        let caller = verifier.verify("a").await.unwrap();
        assert_eq!(caller.audience.last(), Some(&format!("{BASE}{audience}")), "{changes}");
        verifier.clock.advance(Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_bound_token_says_to_which_key() {
    let server = saying(&json!({"token_type": "DPoP", "cnf": {"jkt": "the key"}}));
    let caller = Verifier::with(&server, client()).await.verify("a").await.unwrap();
    assert_eq!(caller.confirmation.as_deref(), Some("the key"));
}

#[tokio::test]
async fn scopes_and_clients_have_many_names() {
    let server = saying(&json!({}));
    let verifier = Verifier::with(&server, client()).await;
    for (changes, scopes, client) in [
        (json!({"scope": ["mcp:read", "mcp:tools"]}), "mcp:read mcp:tools", "the client"),
        (json!({"scope": null, "scp": "mcp:tools"}), "mcp:tools", "the client"),
        (json!({"scope": null, "scp": ["mcp:admin"]}), "mcp:admin", "the client"),
        (json!({"scope": null}), "", "the client"),
        (json!({"scope": "openid other/mcp:read mcp:write"}), "", "the client"),
        (
            json!({"scope": format!("{BASE}/mcp:read {BASE}/mcp/mcp:tools")}),
            "mcp:read mcp:tools",
            "the client",
        ),
        (json!({"scope": format!("{BASE}/mcp/x/mcp:read")}), "", "the client"),
        (json!({"client_id": null, "azp": "a"}), "mcp:read", "a"),
        (json!({"client_id": null, "cid": "c"}), "mcp:read", "c"),
        (json!({"client_id": null, "appid": "d"}), "mcp:read", "d"),
        (json!({"client_id": null}), "mcp:read", ""),
    ] {
        server.answer("/introspect", Answer::Json(active(&server, &changes)));
        let caller = verifier.verify("a").await.unwrap();
        assert_eq!(caller.scopes.to_string(), scopes, "{changes}");
        assert_eq!(caller.owner.client, client, "{changes}");
        verifier.clock.advance(Duration::from_secs(5));
    }
}

#[tokio::test]
async fn another_claim_may_say_whom_it_is_for() {
    let server = saying(&json!({}));
    for (audience, claims, is_for_here) in [
        ("client_id=other,the client", json!({"aud": null}), true),
        ("client_id=other", json!({"client_id": format!("{BASE}/mcp")}), false),
        ("client_id=other", json!({}), false),
        ("api://default", json!({"aud": ["x", "api://default"]}), true),
        ("api://default", json!({}), false),
    ] {
        server.answer("/introspect", Answer::Json(active(&server, &claims)));
        let tokens = RemoteTokens { audience: Some(audience.parse().unwrap()), ..client() };
        let result = Verifier::with(&server, tokens).await.verify("a").await;
        if is_for_here {
            assert_eq!(result.unwrap().audience, [BASE], "{audience}");
        } else {
            assert_eq!(Verifier::flaw(result), Flaw::Audience, "{audience}");
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_there_is_not_the_tokens_fault() {
    let mut server = saying(&json!({}));
    let verifier = Verifier::with(&server, client()).await;
    for (answer, said) in [
        (Answer::Status(500), "500"),
        (Answer::Status(401), "INTROSPECTION_CLIENT_ID"),
        (Answer::Status(403), "INTROSPECTION_CLIENT_ID"),
        (Answer::Status(429), "429"),
        (Answer::Text("<html>".into()), "no JSON"),
        (Answer::Json(json!([])), "no object"),
        (Answer::Json(json!({})), "active"),
        (Answer::Json(json!({"active": "yes"})), "active"),
        (Answer::Json(active(&server, &json!({"exp": "soon"}))), "exp"),
        (Answer::Json(active(&server, &json!({"aud": 7}))), "aud"),
        (Answer::Json(active(&server, &json!({"sub": 7}))), "sub"),
        (Answer::Text("x".repeat(300_000)), "longer"),
        (Answer::Redirect(format!("{}/elsewhere", server.issuer)), "302"),
    ] {
        server.answer("/introspect", answer);
        let told = Verifier::away(verifier.verify("a").await);
        assert!(told.contains(said), "{told}");
    }
    assert!(server.asked("/elsewhere").is_empty(), "no token goes where it was not meant to");
    server.answer("/introspect", Answer::Never);
    tokio::time::pause();
    Verifier::away(verifier.verify("a").await);
    tokio::time::resume();
    server.stop().await;
    Verifier::away(verifier.verify("a").await);
}

#[tokio::test]
async fn without_a_client_it_becomes_one() {
    let server = saying(&json!({}));
    let endpoint = json!({
        "registration_endpoint": format!("{}/register", server.issuer),
        "introspection_endpoint_auth_methods_supported": ["client_secret_post"],
    });
    let metadata = Answer::Json(server.metadata(&endpoint));
    server.answer("/.well-known/oauth-authorization-server", metadata);
    let registered = |id: &str| Answer::Json(json!({"client_id": id, "client_secret": "hush"}));
    server.answer("/register", registered("one"));
    let verifier = Verifier::of(&server).await;
    verifier.verify("a").await.unwrap();
    let last = || server.asked("/introspect").pop().unwrap().body;
    assert!(last().ends_with("&client_id=one&client_secret=hush"), "{}", last());
    // The registration is gone: it becomes another one, but not as often as it is asked.
    server.answer("/introspect", Answer::Status(401));
    Verifier::away(verifier.verify("b").await);
    assert_eq!(server.asked("/register").len(), 1);
    later(Duration::from_secs(5)).await;
    server.answer("/register", registered("two"));
    Verifier::away(verifier.verify("b").await);
    assert!(last().contains("client_id=two"), "{}", last());
    Verifier::away(verifier.verify("b").await);
    assert_eq!(server.asked("/register").len(), 2);
}

#[tokio::test]
async fn without_registration_it_asks_all_the_same() {
    let server = saying(&json!({}));
    Verifier::of(&server).await.verify("a").await.unwrap();
    assert_eq!(server.asked("/introspect")[0].authorization, None);
}
