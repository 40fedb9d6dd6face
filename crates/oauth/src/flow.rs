//! A client's whole way, from registration to revocation.

use serde_json::{Value, json};

use crate::testing::{
    CHALLENGE, TestServer, VERIFIER, authorize_url, basic, client, confidential, form, logs,
};

const CALLBACK: &str = "http://localhost/callback";
const CAME_FROM: &str = "http://localhost:49152/callback";

async fn register(server: &TestServer, method: &str) -> Value {
    let document = json!({
        "redirect_uris": [CALLBACK],
        "client_name": "A whole flow",
        "token_endpoint_auth_method": method,
    });
    let response = server.post("/register", "application/json", &document.to_string()).await;
    assert_eq!(response.status, 201, "{}", response.body);
    response.json()
}

/// Discovers, registers, asks, agrees, signs in: as a client and a browser without JavaScript do.
async fn get_code(server: &TestServer, client_id: &str) -> String {
    let metadata = server.get("/.well-known/oauth-authorization-server").await.json();
    let request = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", CAME_FROM),
        ("scope", "mcp:read mcp:tools"),
        ("state", "s t a t e&=?"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", "http://localhost:3232/mcp/"),
    ];
    let endpoint = metadata["authorization_endpoint"].as_str().unwrap();
    let consent = server.get(&format!("{endpoint}?{}", form(&request, &[]))).await;
    assert!(consent.body.contains("A whole flow"), "{}", consent.body);
    let away = server.submit(&consent.form(), &[("decision", "allow")]).await;
    let sign_in = server.get(away.header("location")).await;
    let back = server.submit(&sign_in.form(), &[("userId", "alice@example.com")]).await;
    let mut answer = back.redirected_to(CAME_FROM);
    assert_eq!(answer["state"], "s t a t e&=?");
    assert_eq!(answer["iss"], metadata["issuer"].as_str().unwrap());
    answer.remove("code").unwrap()
}

/// Everything a login makes that nobody else may see.
struct Secrets(Vec<String>);

#[tokio::test]
async fn the_whole_way() {
    let captured = logs::Capture::start();
    let mut secrets = Secrets(vec![VERIFIER.into()]);
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        secrets.0.extend(go(method).await);
    }
    let lines = captured.lines();
    let seen = logs::events(&lines);
    for event in [
        "auth.client.registered",
        "auth.consent.shown",
        "auth.consent.granted",
        "auth.code.issued",
        "auth.token.issued",
        "auth.token.refreshed",
        "auth.token.revoked",
    ] {
        assert!(seen.contains(&event), "{event}: {seen:?}");
    }
    assert!(secrets.0.len() > 20, "{}", secrets.0.len());
    for line in &lines {
        for secret in &secrets.0 {
            assert!(!line.contains(secret.as_str()), "{line}");
            // Nor the part behind the prefix and the grant's id.
            assert!(secret.len() < 50 || !line.contains(&secret[26..50]), "{line}");
        }
    }
}

async fn go(method: &str) -> Vec<String> {
    let server = TestServer::new();
    let registered = register(&server, method).await;
    let id = registered["client_id"].as_str().unwrap();
    let secret = registered["client_secret"].as_str().unwrap_or_default();
    let post = async |path: &str, body: &[(&str, &str)]| {
        if method == "client_secret_basic" {
            server.post_form_as(&basic(id, secret), path, &form(body, &[])).await
        } else {
            let who = [("client_id", id), ("client_secret", secret)];
            server.post_form(path, &form(body, &who)).await
        }
    };

    let code = get_code(&server, id).await;
    let request = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CAME_FROM),
        ("code_verifier", VERIFIER),
        ("resource", "http://localhost:3232/mcp"),
    ];
    let response = post("/token", &request).await;
    assert_eq!(response.json()["scope"], "mcp:read mcp:tools", "{}", response.body);
    let first = response.tokens();

    let again = [("grant_type", "refresh_token"), ("refresh_token", first.refresh.as_str())];
    let second = post("/token", &again).await.tokens();

    let described = post("/introspect", &[("token", &second.access)]).await.json();
    assert_eq!(described["active"], true);
    assert_eq!(described["sub"], "alice@example.com");
    assert_eq!(described["client_id"], id);
    assert_eq!(described["aud"], "http://localhost:3232/mcp");

    assert_eq!(post("/revoke", &[("token", &second.refresh)]).await.status, 200);
    for token in [&first.access, &second.access, &second.refresh] {
        let described = post("/introspect", &[("token", token)]).await.json();
        assert_eq!(described, json!({"active": false}));
    }
    let late = [("grant_type", "refresh_token"), ("refresh_token", second.refresh.as_str())];
    post("/token", &late).await.assert_error(400, "invalid_grant");
    post("/token", &request).await.assert_error(400, "invalid_grant");

    let mut secrets = vec![code, first.access, first.refresh, second.access, second.refresh];
    secrets.extend((!secret.is_empty()).then(|| secret.to_owned()));
    secrets.push(server.context.keys.expose().to_string());
    secrets.extend(server.cookies());
    secrets
}

#[tokio::test]
async fn two_users_of_one_client_stay_apart() {
    let server = TestServer::new();
    let registered = register(&server, "none").await;
    let id = registered["client_id"].as_str().unwrap();
    let changes = [("redirect_uri", CAME_FROM)];
    let alice = server.log_in(id, "alice", &changes).await;
    let bob = server.another_browser().log_in(id, "bob", &changes).await;
    server.post_form("/revoke", &format!("client_id={id}&token={}", alice.refresh)).await;
    assert!(!server.is_active(&alice.access).await);
    assert!(server.is_active(&bob.access).await);
}

/// Each thing that goes wrong, with what is logged of it.
#[tokio::test]
async fn what_goes_wrong_is_logged() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    server.put_client(&confidential("s", "the-right-one")).await;
    let code = server.code("c", "alice", &[]).await;
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "c"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let exchange = form(&exchange, &[]);
    server.post_form("/token", &exchange).await;
    let tokens = server.log_in("c", "bob", &[]).await;
    let refresh = [("grant_type", "refresh_token"), ("client_id", "c")];
    let refresh = form(&refresh, &[("refresh_token", tokens.refresh.as_str())]);
    server.post_form("/token", &refresh).await;
    server.clock.advance(std::time::Duration::from_secs(61));
    let consent = server.get(&authorize_url("c", &[])).await.form();

    let captured = logs::Capture::start();
    server.post("/register", "application/json", "{}").await;
    server.post_form_as(&basic("s", "the-wrong-one"), "/token", "").await;
    server.get(&authorize_url("unknown\n", &[])).await;
    server.get(&authorize_url("c", &[("scope", "unknown")])).await;
    server.submit(&consent, &[("decision", "deny")]).await;
    server.get("/fakeupstreamauth/redirect?state=x&userId=a").await;
    server.post_form("/token", &exchange).await;
    server.post_form("/token", &refresh).await;
    server.faults.is_away_after(0);
    server.post_form("/token", &refresh).await;

    let mut lines = captured.lines();
    lines.retain(|line| !line.starts_with("DEBUG"));
    let expected = [
        "INFO event=\"auth.client.refused\"",
        "WARN event=\"auth.client.rejected\" client_id=\"s\"",
        "INFO event=\"auth.request.refused\" client_id=\"unknown?\"",
        "INFO event=\"auth.request.refused\" client_id=\"c\"",
        "INFO event=\"auth.consent.denied\" client_id=\"c\"",
        "INFO event=\"auth.login.failed\"",
        "WARN event=\"auth.code.replayed\" client_id=\"c\" user_id=\"alice\" grant=",
        "INFO event=\"auth.token.refused\" client_id=\"c\"",
        "WARN event=\"auth.refresh.reused\" client_id=\"c\" user_id=\"bob\" grant=",
        "INFO event=\"auth.token.refused\" client_id=\"c\"",
        "ERROR event=\"auth.store.failed\"",
    ];
    assert_eq!(lines.len(), expected.len(), "each once: {lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line} is not {expected}");
        assert!(!line.contains("-one") && !line.contains("mcr_"), "{line}");
    }
}
