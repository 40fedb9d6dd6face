//! From nothing to a token and back.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Deployment, Mcp, Server, SignIn, Stream};

on_every_deployment!(
    the_first_request_says_where_to_sign_in,
    metadata_leads_from_the_resource_to_the_endpoints,
    a_token_opens_the_server_and_no_other_place_for_it_counts,
    a_code_is_good_once_and_its_replay_ends_what_it_gave,
    a_revoked_grant_ends_the_stream_that_is_open,
    a_method_needs_its_scope,
    a_client_asks_for_more_when_it_is_told_to,
    introspection_tells_a_client_about_its_tokens,
);

// All but that a stream ends with a revocation, which is for who hears of it.
on_separate_deployments!(
    the_first_request_says_where_to_sign_in,
    metadata_leads_from_the_resource_to_the_endpoints,
    a_token_opens_the_server_and_no_other_place_for_it_counts,
    a_code_is_good_once_and_its_replay_ends_what_it_gave,
    a_method_needs_its_scope,
    a_client_asks_for_more_when_it_is_told_to,
    introspection_tells_a_client_about_its_tokens,
);

async fn json_at(server: &Server, path: &str) -> Value {
    let answer = reqwest::get(server.url(path)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    assert_eq!(answer.headers()["content-type"], "application/json", "{path}");
    answer.json().await.unwrap()
}

async fn the_first_request_says_where_to_sign_in(on: &Deployment) {
    let server = on.start();
    let client = Mcp::new(&server);
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {} }),
    ] {
        let refused = client.post(&message).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        let metadata = server.url("/.well-known/oauth-protected-resource/mcp");
        assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");
        assert!(challenge.contains("scope=\""), "{challenge}");
    }
    for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
        let refused = client.request(method).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
}

async fn metadata_leads_from_the_resource_to_the_endpoints(on: &Deployment) {
    let server = on.start();
    for (path, resource) in [("", ""), ("/mcp", "/mcp"), ("/sse", "/sse")] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let metadata = json_at(&server, &path).await;
        assert_eq!(metadata["resource"], server.url(resource));
        assert_eq!(metadata["authorization_servers"], json!([server.issuer()]));
    }
    // Clients of 2025-03-26, and those that are told no issuer, try these first, and go on at 404.
    for path in [
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
    ] {
        let answer = reqwest::get(server.url(path)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for name in ["oauth-authorization-server", "openid-configuration"] {
        let metadata = json_at(&server, &format!("/.well-known/{name}")).await;
        assert_eq!(metadata["issuer"], server.issuer());
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
        for (field, path) in [
            ("authorization_endpoint", "/authorize"),
            ("token_endpoint", "/token"),
            ("registration_endpoint", "/register"),
            ("revocation_endpoint", "/revoke"),
            ("introspection_endpoint", "/introspect"),
        ] {
            assert_eq!(metadata[field], server.auth_url(path), "{field}");
        }
    }
}

async fn a_token_opens_the_server_and_no_other_place_for_it_counts(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    let mut client = Mcp::new(&server);
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    client.token = Some(tokens.access.clone());
    assert_eq!(client.post(&ping).await.status, StatusCode::BAD_REQUEST, "it wants a session");

    let url = server.url(&format!("/mcp?access_token={}", tokens.access));
    let in_query = sign_in.browser.http.post(url).json(&ping).send().await.unwrap();
    assert_eq!(in_query.status(), StatusCode::UNAUTHORIZED);

    for wrong in [tokens.refresh.as_str(), "nonsense", "mca_AAAA"] {
        client.token = Some(wrong.to_owned());
        let refused = client.post(&ping).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
}

async fn a_code_is_good_once_and_its_replay_ends_what_it_gave(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let code = sign_in.code("alice").await;
    let first: Value = sign_in.redeem(&code).await.json().await.unwrap();
    let mut client = Mcp::new(&server);
    client.token = first["access_token"].as_str().map(str::to_owned);
    client.initialize(json!({})).await;

    let replayed = sign_in.redeem(&code).await;
    assert_eq!(replayed.status(), StatusCode::BAD_REQUEST);
    let error: Value = replayed.json().await.unwrap();
    assert_eq!(error["error"], "invalid_grant");
    client.is_shut_out(on).await;
}

pub(crate) async fn a_revoked_grant_ends_the_stream_that_is_open(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    let mut client = Mcp::new(&server);
    client.token = Some(tokens.access);
    client.initialize(json!({})).await;
    let mut stream = Stream::of(client.get(None).await);
    let form = [("token", tokens.refresh.as_str()), ("client_id", tokens.client_id.as_str())];
    let revoked = sign_in.browser.http.post(server.auth_url("/revoke")).form(&form).send().await;
    assert_eq!(revoked.unwrap().status(), StatusCode::OK);
    while stream.next().await.is_some() {}
    client.is_shut_out(on).await;
}

async fn a_method_needs_its_scope(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn { scope: Some("mcp:read"), ..SignIn::register(&server).await };
    let mut client = Mcp::new(&server);
    client.token = Some(sign_in.tokens("alice").await.access);
    client.initialize(json!({})).await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/list" });
    assert_eq!(client.post(&list).await.status, StatusCode::OK);
    let refused = client.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="mcp:read mcp:tools""#), "{challenge}");
    server.logged("auth.token.rejected");
}

/// The challenge says what to ask for, and what was had before is among it.
async fn a_client_asks_for_more_when_it_is_told_to(on: &Deployment) {
    let server = on.start();
    let mut sign_in = SignIn { scope: Some("mcp:read"), ..SignIn::register(&server).await };
    let mut client = Mcp::new(&server);
    client.token = Some(sign_in.tokens("alice").await.access);
    client.initialize(json!({})).await;
    let refused = client.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let challenge = refused.headers["www-authenticate"].to_str().unwrap().to_owned();
    let (_, rest) = challenge.split_once("scope=\"").unwrap();
    let (scope, _) = rest.split_once('"').unwrap();
    assert!(challenge.contains("resource_metadata=\""), "{challenge}");

    sign_in.scope = Some(scope);
    let code = sign_in.code("alice").await;
    let tokens: Value = sign_in.redeem(&code).await.json().await.unwrap();
    assert_eq!(tokens["scope"], scope);
    client.token = tokens["access_token"].as_str().map(str::to_owned);
    // The session is the same user's and the same client's, so it goes on.
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await.text(), "Echo: hi");
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/list" });
    assert_eq!(client.post(&list).await.status, StatusCode::OK);
}

async fn introspection_tells_a_client_about_its_tokens(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    let introspect = async |token: &str| -> Value {
        let form = [("token", token), ("client_id", tokens.client_id.as_str())];
        let answer =
            sign_in.browser.http.post(server.auth_url("/introspect")).form(&form).send().await;
        answer.unwrap().json().await.unwrap()
    };
    let active = introspect(&tokens.access).await;
    assert_eq!(active["active"], true, "{active}");
    assert_eq!(active["sub"], "alice");
    assert_eq!(active["aud"], server.url("/mcp"));
    assert_eq!(introspect("nonsense").await, json!({ "active": false }));
}
