//! Separate mode, where the authorization server is somebody else's: what a client does, from the
//! first refusal to a tool that answers.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    it::support::{
        Mcp, Server, VERIFIER,
        server::free_port,
        sign_in::{Browser, forms},
        soon,
    },
    oidc_provider::OidcProvider,
};

const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";
const OTHER: &str = "https://other.example/mcp";
const ASKER: [&str; 2] = ["asker", "a-secret-of-the-mcp-server"];

/// An MCP server, and a provider that issues tokens of this kind for it and for another one.
async fn start(kind: &str, settings: &[(&str, &str)]) -> (Server, OidcProvider) {
    let port = free_port().to_string();
    let mcp = format!("http://localhost:{port}/mcp");
    let asker = json!({
        "client_id": ASKER[0], "client_secret": ASKER[1], "redirect_uris": [],
        "grant_types": [], "response_types": [],
    });
    let client = json!({
        "client_id": "known", "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let provider = OidcProvider::new().knows(asker).knows(client);
    let mut provider = provider.issues_for(&mcp, kind).issues_for(OTHER, kind);
    provider.start().await;
    let issuer = provider.issuer();
    let usual = [("PORT", &*port), ("AUTH_MODE", "separate"), ("AUTH_SERVER_URL", &issuer)];
    let server = Server::with(&[&usual[..], settings].concat());
    server.logged("auth.server.found");
    (server, provider)
}

/// A client with a browser, and what it found out.
struct Client {
    browser: Browser,
    metadata: Value,
    resource: String,
    id: String,
}

impl Client {
    /// Is refused, and reads what the refusal names (RFC 9728, RFC 8414).
    async fn discover(server: &Server) -> Self {
        let browser = Browser::new();
        let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        let refused = Mcp::new(server).post(&ping).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        let (_, url) = challenge.split_once("resource_metadata=\"").unwrap();
        let resource = json_at(&browser, url.split_once('"').unwrap().0).await;
        let issuer = resource["authorization_servers"][0].as_str().unwrap();
        let url = format!("{issuer}/.well-known/oauth-authorization-server");
        let metadata = json_at(&browser, &url).await;
        assert_eq!(metadata["issuer"], issuer);
        let resource = resource["resource"].as_str().unwrap().to_owned();
        Self { browser, metadata, resource, id: "known".to_owned() }
    }

    /// RFC 7591.
    async fn register(self) -> Self {
        let document = json!({
            "client_name": "Test", "redirect_uris": [REDIRECT_URI], "application_type": "native",
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let url = self.endpoint("registration_endpoint");
        let answer = self.browser.http.post(url).json(&document).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let registered: Value = answer.json().await.unwrap();
        let id = registered["client_id"].as_str().unwrap().to_owned();
        Self { id, ..self }
    }

    fn endpoint(&self, name: &str) -> String {
        self.metadata[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned()
    }

    /// A token for this resource, for which `user` signs in (RFC 7636, RFC 8707).
    async fn token_for(&self, resource: &str, user: &str) -> String {
        let mut url = Url::parse(&self.endpoint("authorization_endpoint")).unwrap();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "mcp:read mcp:tools"),
            ("state", "the state"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", resource),
        ]);
        let mut answer = self.browser.get(url.as_str()).await;
        // The sign-in page, at most.
        for _ in 0..2 {
            while answer.status().is_redirection() {
                url = url.join(answer.headers()["location"].to_str().unwrap()).unwrap();
                if url.as_str().starts_with(REDIRECT_URI) {
                    return self.redeem(&url, resource).await;
                }
                answer = self.browser.get(url.as_str()).await;
            }
            let status = answer.status();
            let html = answer.text().await.unwrap();
            assert_eq!(status, StatusCode::OK, "{url}: {html}");
            let mut form = forms(&html).swap_remove(0);
            form.fields.insert("userId".into(), user.into());
            answer = self.browser.submit(&url, &form).await;
        }
        panic!("the pages lead nowhere")
    }

    async fn redeem(&self, back: &Url, resource: &str) -> String {
        let get = |name: &str| {
            let found = back.query_pairs().find(|(key, _)| key == name);
            found.unwrap_or_else(|| panic!("no {name}: {back}")).1.into_owned()
        };
        assert_eq!(get("iss"), self.metadata["issuer"].as_str().unwrap());
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &get("code")),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", &self.id),
            ("code_verifier", VERIFIER),
            ("resource", resource),
        ];
        let url = self.endpoint("token_endpoint");
        let answer = self.browser.http.post(url).form(&form).send().await.unwrap();
        let tokens: Value = answer.json().await.unwrap();
        tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    /// A client that uses this server with a token for it.
    async fn signed_in(&self, server: &Server, user: &str) -> Mcp {
        let mut client = Mcp::new(server);
        client.token = Some(self.token_for(&self.resource, user).await);
        // A key that is new is not looked for at once if the keys were just read.
        until(&client, StatusCode::BAD_REQUEST).await;
        client.initialize(json!({})).await;
        client.is_served().await;
        client
    }

    /// A token that this provider gave for another server opens nothing here.
    async fn is_refused_with_the_token_of_another(&self, server: &Server) {
        let mut client = Mcp::new(server);
        client.token = Some(self.token_for(OTHER, "alice").await);
        let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        let refused = client.post(&ping).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
}

/// Asks until this is the answer. Without a session, 400 is for a token that is good.
async fn until(client: &Mcp, wanted: StatusCode) {
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let answered = async {
        while client.post(&ping).await.status != wanted {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    soon(answered).await;
}

async fn json_at(browser: &Browser, url: &str) -> Value {
    let answer = browser.get(url).await;
    assert_eq!(answer.status(), StatusCode::OK, "{url}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn signed_tokens_are_checked_with_the_keys_of_the_provider() {
    let (server, mut provider) = start("jwt", &[]).await;
    let client = Client::discover(&server).await.register().await;
    assert_eq!(client.resource, server.url("/mcp"));
    let alice = client.signed_in(&server, "alice").await;
    assert_eq!(alice.token.as_deref().unwrap().split('.').count(), 3, "a JWT");
    client.is_refused_with_the_token_of_another(&server).await;

    // Restarted, it has other keys, and knows only the clients that it was told of.
    provider.stop();
    provider.start().await;
    alice.is_served().await;
    let client = Client::discover(&server).await;
    client.signed_in(&server, "bob").await;
}

#[tokio::test]
async fn opaque_tokens_are_asked_about() {
    let asker = [
        ("TOKEN_CHECK", "introspection"),
        ("INTROSPECTION_CLIENT_ID", ASKER[0]),
        ("INTROSPECTION_CLIENT_SECRET", ASKER[1]),
    ];
    let (server, _provider) = start("opaque", &asker).await;
    let client = Client::discover(&server).await;
    let alice = client.signed_in(&server, "alice").await;
    client.is_refused_with_the_token_of_another(&server).await;
    assert!(server.log().iter().all(|line| !line.to_string().contains(ASKER[1])));

    let token = alice.token.as_deref().unwrap();
    assert!(!token.contains('.'), "it is opaque");
    let form = [("token", token), ("client_id", &client.id)];
    let url = client.endpoint("revocation_endpoint");
    let revoked = client.browser.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::OK);
    until(&alice, StatusCode::UNAUTHORIZED).await;
}

/// What the provider must not be asked, and what its absence does not mean.
#[tokio::test]
async fn a_provider_that_is_away_is_not_the_tokens_fault() {
    let asker = [
        ("TOKEN_CHECK", "introspection"),
        ("INTROSPECTION_CLIENT_ID", ASKER[0]),
        ("INTROSPECTION_CLIENT_SECRET", ASKER[1]),
    ];
    let (server, mut provider) = start("opaque", &asker).await;
    let client = Client::discover(&server).await;
    let token = client.token_for(&client.resource, "alice").await;
    provider.stop();
    let mut alice = Mcp::new(&server);
    alice.token = Some(token);
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let away = alice.post(&ping).await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(away.headers.contains_key("retry-after"));
    // It comes back, and does not know the token any more.
    provider.start().await;
    until(&alice, StatusCode::UNAUTHORIZED).await;
}
