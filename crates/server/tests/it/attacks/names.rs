//! What a server is called, and what another one issued.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Deployment, Mcp, Server, SignIn, rows::client, server::free_port, sign_in::forms,
};

on_every_deployment!(
    no_header_changes_what_the_server_calls_itself,
    what_one_server_issued_is_nothing_to_another,
);

/// What proxies write, and so can anybody.
const ELSEWHERE: [(&str, &str); 6] = [
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-prefix", "/evil"),
    ("forwarded", "host=evil.example;proto=https"),
    ("x-original-url", "/evil"),
    ("x-host", "evil.example"),
];

async fn no_header_changes_what_the_server_calls_itself(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn { scope: Some("nonsense"), ..SignIn::register(&server).await };
    for url in [
        server.url("/.well-known/oauth-authorization-server"),
        server.url("/.well-known/openid-configuration"),
        server.url("/.well-known/oauth-protected-resource/mcp"),
        server.url("/mcp"),
        sign_in.authorization_url().into(),
    ] {
        let plain = client().get(&url).send().await.unwrap();
        let dressed = ELSEWHERE
            .iter()
            .fold(client().get(&url), |request, (name, value)| request.header(*name, *value));
        let dressed = dressed.send().await.unwrap();
        for name in ["location", "www-authenticate"] {
            assert_eq!(plain.headers().get(name), dressed.headers().get(name), "{url}");
        }
        let (plain, dressed) = (plain.text().await.unwrap(), dressed.text().await.unwrap());
        assert_eq!(plain, dressed, "{url}");
        assert!(!plain.contains("evil"), "{plain}");
    }
}

/// Clients compare issuers as text: one that is tidied somewhere is another (RFC 9207, section 2.4).
#[tokio::test]
async fn the_issuer_is_the_same_text_everywhere() {
    let port = free_port();
    let issuer = format!("http://localhost:{port}/");
    let mut server = Server::behind(&issuer, &[port], &[]);
    server.base = issuer.trim_end_matches('/').to_owned();
    let sign_in = SignIn::register(&server).await;
    let back = sign_in.walk("alice").await;
    let get = |name: &str| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(get("iss"), issuer);
    let json_at = async |path: &str| -> Value {
        client().get(server.url(path)).send().await.unwrap().json().await.unwrap()
    };
    let metadata = json_at("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata["issuer"], issuer);
    let resource = json_at("/.well-known/oauth-protected-resource/mcp").await;
    assert_eq!(resource["authorization_servers"], json!([issuer]));
    let tokens: Value = sign_in.redeem(&get("code")).await.json().await.unwrap();
    let form = [("client_id", sign_in.client_id.as_str())];
    let form = form.into_iter().chain([("token", tokens["access_token"].as_str().unwrap())]);
    let form: Vec<_> = form.collect();
    let described = client().post(server.url("/introspect")).form(&form).send().await.unwrap();
    assert_eq!(described.json::<Value>().await.unwrap()["iss"], issuer);
    let wrong = SignIn { scope: Some("nonsense"), ..sign_in };
    let refused = wrong.browser.get(wrong.authorization_url().as_str()).await;
    let location = refused.headers()["location"].to_str().unwrap();
    assert!(
        location.contains("error=invalid_scope")
            && location.contains("&iss=http%3A%2F%2Flocalhost")
    );
    assert!(location.ends_with("%2F"), "{location}");
}

/// Tokens, codes, forms and logins of a server that is the same but for its keys and its store.
async fn what_one_server_issued_is_nothing_to_another(on: &Deployment) {
    let (server, other) = (on.start(), Server::start());
    let sign_in = SignIn::register(&other).await;
    let tokens = sign_in.tokens("alice").await;
    let mut mcp = Mcp::new(&server);
    mcp.token = Some(tokens.access.clone());
    let refused = mcp.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);

    // A client here that is otherwise right.
    let here = SignIn::register(&server).await;
    let code = sign_in.code("alice").await;
    let refused: Value = here.redeem(&code).await.json().await.unwrap();
    assert_eq!(refused["error"], "invalid_grant");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", here.client_id.as_str()),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let refused = client().post(server.url("/token")).form(&form).send().await.unwrap();
    assert_eq!(refused.json::<Value>().await.unwrap()["error"], "invalid_grant");
    let form = [("client_id", here.client_id.as_str()), ("token", tokens.access.as_str())];
    let described = client().post(server.url("/introspect")).form(&form).send().await.unwrap();
    assert_eq!(described.json::<Value>().await.unwrap(), json!({ "active": false }));

    let page = sign_in.browser.get(sign_in.authorization_url().as_str()).await;
    let form = forms(&page.text().await.unwrap()).swap_remove(0);
    let answer = here.browser.http.post(server.url("/authorize/consent")).form(&form.fields);
    assert_eq!(answer.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}
