//! Clients that are known by the URL of a document about them, and those that the operator lists.

use std::fs;

use mcp_everything_fetch::testing::{Answer, HttpsServer};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Deployment, Mcp, Server, SignIn, VERIFIER,
    rows::client,
    signer::{Signer, now, unique},
};

on_every_deployment!(
    a_client_signs_in_by_a_document_about_it,
    a_client_proves_itself_with_a_key_from_its_own_host,
    of_many_who_come_at_once_one_at_each_instance_fetches,
    what_is_no_good_is_told_and_leads_nowhere,
    a_client_of_the_file_signs_in,
);
on_separate_deployments!(
    a_client_signs_in_by_a_document_about_it,
    a_client_proves_itself_with_a_key_from_its_own_host,
    what_is_no_good_is_told_and_leads_nowhere,
    a_client_of_the_file_signs_in,
);

const BACK: &str = "http://127.0.0.1:9/callback";
const JSON: &str = "application/json";

fn document(url: &str) -> Value {
    json!({
        "client_id": url,
        "client_name": "A described client",
        "redirect_uris": [BACK],
        "token_endpoint_auth_method": "none",
    })
}

/// The server, which trusts the host and could ask a proxy that is not there.
fn trusting(on: &Deployment, host: &HttpsServer) -> Server {
    let certificate = host.certificate_file().display().to_string();
    let proxy = "http://127.0.0.1:9";
    on.with(&[("SSL_CERT_FILE", &certificate), ("HTTPS_PROXY", proxy)])
}

fn sign_in(server: &Server, client_id: String) -> SignIn<'_> {
    SignIn::of(server, client_id, BACK.to_owned())
}

async fn a_client_signs_in_by_a_document_about_it(on: &Deployment) {
    let host = HttpsServer::start(|path, host| {
        Answer::ok(JSON, &document(&format!("https://{host}{path}")).to_string())
    })
    .await;
    let server = trusting(on, &host);
    let metadata = client().get(server.auth_url("/.well-known/oauth-authorization-server"));
    let metadata: Value = metadata.send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);

    let sign_in = sign_in(&server, host.url("/client.json"));
    let page = sign_in.browser.get(sign_in.authorization_url().as_str()).await;
    let page = page.text().await.unwrap();
    let name = format!("localhost:{}", host.port());
    for said in ["A described client", &name, "Any program on this computer"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let tokens = sign_in.tokens("alice").await;
    let mut client = Mcp::new(&server);
    client.token = Some(tokens.access);
    client.initialize(json!({})).await;
    let who = client.call("whoami", json!({})).await.body.to_string();
    assert!(who.contains(&sign_in.client_id), "{who}");

    let post = async |path: &str, form: &[(&str, &str)]| {
        sign_in.browser.http.post(server.auth_url(path)).form(form).send().await.unwrap()
    };
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("client_id", sign_in.client_id.as_str()),
    ];
    let refreshed = post("/token", &form).await;
    assert_eq!(refreshed.status(), StatusCode::OK);
    let refreshed: Value = refreshed.json().await.unwrap();
    let token = refreshed["refresh_token"].as_str().unwrap();
    let form = [("token", token), ("client_id", sign_in.client_id.as_str())];
    assert_eq!(post("/revoke", &form).await.status(), StatusCode::OK);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", sign_in.client_id.as_str()),
    ];
    assert_eq!(post("/token", &form).await.status(), StatusCode::BAD_REQUEST, "it is revoked");
    assert_eq!(host.asked().len(), 1, "all instances share what one of them fetched");
    server.logged("auth.client.document_fetched");
}

async fn a_client_proves_itself_with_a_key_from_its_own_host(on: &Deployment) {
    let signer = Signer::new();
    let keys = json!({ "keys": [signer.jwk()] }).to_string();
    let host = HttpsServer::start(move |path, host| {
        if path == "/jwks.json" {
            return Answer::ok("application/jwk-set+json", &keys);
        }
        let mut document = document(&format!("https://{host}{path}"));
        document["token_endpoint_auth_method"] = json!("private_key_jwt");
        document["jwks_uri"] = json!(format!("https://{host}/jwks.json"));
        Answer::ok(JSON, &document.to_string())
    })
    .await;
    let server = trusting(on, &host);
    let sign_in = sign_in(&server, host.url("/client.json"));
    let redeem = async |signer: &Signer| {
        let code = sign_in.code("alice").await;
        let claims = json!({
            "iss": sign_in.client_id, "sub": sign_in.client_id, "aud": server.issuer(),
            "exp": now() + 60, "jti": unique(),
        });
        let assertion = signer.sign(&json!({}), &claims);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
            ("client_assertion", &assertion),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ];
        let answer = sign_in.browser.http.post(server.auth_url("/token")).form(&form);
        answer.send().await.unwrap().status()
    };
    for _ in 0..3 {
        assert_eq!(redeem(&signer).await, StatusCode::OK);
    }
    assert_eq!(redeem(&Signer::new()).await, StatusCode::UNAUTHORIZED);
    let code = sign_in.code("alice").await;
    let without = sign_in.redeem(&code).await;
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED, "it is no public client");
    assert_eq!(host.asked().len(), 2, "one document and one set of keys");
}

async fn of_many_who_come_at_once_one_at_each_instance_fetches(on: &Deployment) {
    let host = HttpsServer::start(|path, host| {
        Answer::ok(JSON, &document(&format!("https://{host}{path}")).to_string())
    })
    .await;
    let server = trusting(on, &host);
    let url = sign_in(&server, host.url("/client.json")).authorization_url();
    let visits = (0..30).map(|_| async {
        let page = client().get(url.as_str()).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
    });
    futures::future::join_all(visits).await;
    let fetched = host.asked().len();
    assert!((1..=server.instances.len()).contains(&fetched), "{fetched} times");
}

async fn what_is_no_good_is_told_and_leads_nowhere(on: &Deployment) {
    let host = HttpsServer::start(|path, host| {
        let url = format!("https://{host}{path}");
        let good = document(&url).to_string();
        match path {
            "/moved" => Answer::with("302 Found", &[("location", "/good")], ""),
            "/gone" => Answer::with("404 Not Found", &[("content-type", JSON)], &good),
            "/failing" => Answer::with("500 Failed", &[("content-type", JSON)], &good),
            "/html" => Answer::ok("text/html", &good),
            "/long" => Answer::ok(JSON, &format!("{good}{}", " ".repeat(5 * 1024))),
            "/other" => Answer::ok(JSON, &document("https://client.example/x").to_string()),
            "/secret" => {
                let mut document = document(&url);
                document["client_secret"] = json!("x");
                Answer::ok(JSON, &document.to_string())
            }
            _ => Answer::ok(JSON, &good),
        }
    })
    .await;
    let server = trusting(on, &host);
    let at = |path: &str| host.url(path);
    let far = |url: &str| url.to_owned();
    for (id, status, reason) in [
        (at("/moved"), 400, "status"),
        (at("/gone"), 400, "status"),
        (at("/failing"), 503, "status"),
        (at("/html"), 400, "not_json"),
        (at("/long"), 400, "too_long"),
        (at("/other"), 400, "other_client_id"),
        (at("/secret"), 400, "secret"),
        // Nobody listens there.
        (far("https://127.0.0.1:9/client.json"), 503, "unreachable"),
        (at("/good").replace("localhost", "127.0.0.2"), 503, "unreachable"),
        (far("https://169.254.169.254/latest/meta-data"), 400, "address_not_public"),
        (far("https://10.0.0.1/client.json"), 400, "address_not_public"),
        (far("https://[::ffff:7f00:1]/client.json"), 400, "address_not_public"),
        (far("https://[64:ff9b::a9fe:a9fe]/client.json"), 400, "address_not_public"),
        (far("https://2852039166/latest"), 400, "url"),
        (far("https://client.example/a/../b"), 400, "url"),
        (far("https://user@client.example/a"), 400, "url"),
    ] {
        let asks = sign_in(&server, id.clone());
        let page = asks.browser.get(asks.authorization_url().as_str()).await;
        assert_eq!(page.status().as_u16(), status, "{id}");
        assert!(!page.headers().contains_key("location"), "{id}");
        let shown = page.text().await.unwrap();
        assert!(shown.contains("its client_id leads to"), "{id}: {shown}");
        let told = asks.redeem("mcc_x").await;
        let expected = if status == 400 { 401 } else { 503 };
        assert_eq!(told.status().as_u16(), expected, "{id}");
        let named: String = id.chars().take(64).collect();
        let logged = server.logged_where(|line| {
            line["event"] == "auth.client.document_refused" && line["client_id"] == named.as_str()
        });
        assert_eq!(logged.unwrap()["reason"], reason, "{id}");
    }
    // One that is good is not held up by those that are not.
    let good = sign_in(&server, at("/good"));
    good.tokens("alice").await;
}

async fn a_client_of_the_file_signs_in(on: &Deployment) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clients.json");
    // `printf %s 'a secret of at least 32 characters' | sha256sum`
    let hash = "ed8c92fc7b7dbe5f7a759fb86194f3b42c53030a43475560e97b1f5be8aa7fc6";
    let list = json!([
        {"client_id": "public app", "client_name": "Known here", "redirect_uris": [BACK],
            "token_endpoint_auth_method": "none", "scope": "mcp:read"},
        {"client_id": "robot", "grant_types": ["client_credentials"], "scope": "mcp:tools mcp:admin",
            "client_secret": "a secret of at least 32 characters"},
        {"client_id": "other", "grant_types": ["client_credentials"], "client_secret_sha256": hash},
    ]);
    fs::write(&path, list.to_string()).unwrap();
    let server = on.with(&[("CLIENTS_FILE", path.to_str().unwrap())]);
    let asks = sign_in(&server, "public app".to_owned());
    let page = asks.browser.get(asks.authorization_url().as_str()).await.text().await.unwrap();
    assert!(page.contains("Known here"), "{page}");
    let mut app = Mcp::new(&server);
    app.token = Some(asks.tokens("alice").await.access);
    app.initialize(json!({})).await;

    let ask = async |id: &str, secret: &str| {
        let form = [("grant_type", "client_credentials")];
        let request =
            client().post(server.auth_url("/token")).basic_auth(id, Some(secret)).form(&form);
        request.send().await.unwrap()
    };
    let secret = "a secret of at least 32 characters";
    let robot: Value = ask("robot", secret).await.json().await.unwrap();
    assert_eq!(robot["scope"], "mcp:tools mcp:admin", "{robot}");
    assert_eq!(ask("other", secret).await.status(), StatusCode::OK, "its hash is in the file");
    for (id, wrong) in [("robot", "another secret"), ("other", hash), ("public app", secret)] {
        assert_eq!(ask(id, wrong).await.status(), StatusCode::UNAUTHORIZED, "{id}");
    }
}
