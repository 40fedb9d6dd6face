//! Clients that describe themselves, against a host that serves what it should not.

use std::time::Duration;

use mcp_everything_fetch::testing::{Answer, HttpsServer};
use mcp_everything_store::oauth::{ClientAuth, ClientKeys, DocumentKind};
use serde_json::{Value, json};

use super::{DocumentHosts, ListedClients, LookupError};
use crate::testing::{Page, Signer, TestServer, VERIFIER, authorize_url, client, form};

const BACK: &str = "https://client.example/callback";
const JSON: &str = "application/json";

/// What a good client says of itself.
fn document(url: &str) -> Value {
    json!({
        "client_id": url,
        "client_name": "Described Client",
        "client_uri": "https://client.example",
        "redirect_uris": [BACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "mcp:read",
    })
}

/// A host that serves good documents: whatever is asked for is one about itself.
async fn honest() -> HttpsServer {
    HttpsServer::start(|path, host| {
        let url = format!("https://{host}{path}");
        Answer::with("200 OK", &[("content-type", JSON)], &document(&url).to_string())
    })
    .await
}

async fn ask(server: &TestServer, client_id: &str) -> Page {
    server.get(&authorize_url(client_id, &[])).await
}

#[tokio::test]
async fn a_client_that_describes_itself_signs_in_refreshes_and_revokes() {
    let host = honest().await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let id = host.url("/client.json");
    let page = ask(&server, &id).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let name = format!("localhost:{}", host.port());
    for said in ["Described Client", "The client is known by", &name, "client.example"] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    let tokens = server.log_in(&id, "alice", &[]).await;
    assert!(server.is_active(&tokens.access).await);
    let request = [
        ("grant_type", "refresh_token"),
        ("client_id", id.as_str()),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let refreshed = server.post_form("/token", &form(&request, &[])).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let refreshed = refreshed.tokens();
    let request = [("client_id", id.as_str()), ("token", refreshed.refresh.as_str())];
    assert_eq!(server.post_form("/revoke", &form(&request, &[])).await.status, 200);
    assert!(!server.is_active(&refreshed.access).await);
    assert_eq!(host.asked().len(), 1, "all of it within the life of the document");
    assert!(server.store.client(&id).await.unwrap().is_none(), "it is registered nowhere");
}

#[tokio::test]
async fn a_client_of_this_computer_is_said_to_be_anybody() {
    let host = HttpsServer::start(|path, host| {
        let mut document = document(&format!("https://{host}{path}"));
        document["redirect_uris"] = json!(["http://127.0.0.1/cb", "http://localhost/cb"]);
        if path == "/mixed" {
            document["redirect_uris"] = json!(["http://127.0.0.1/cb", BACK]);
        }
        Answer::ok(JSON, &document.to_string())
    })
    .await;
    let server = TestServer::reading_from(&[&host], |_| {});
    for (path, warned) in [("/local", true), ("/mixed", false)] {
        let url = authorize_url(&host.url(path), &[("redirect_uri", "http://127.0.0.1:7/cb")]);
        let page = server.get(&url).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.body.contains("Any program on this computer"), warned, "{}", page.body);
    }
}

/// Each is told to the user, on a page, and the browser is sent nowhere.
#[tokio::test]
async fn hostile_identifiers_are_refused_unasked() {
    let server = TestServer::new();
    let mut rows = vec![
        ("https://127.0.0.1.evil.example@169.254.169.254/a", "user name"),
        ("https://user:secret@client.example/a", "user name"),
        ("https://client.example/a#b", "fragment"),
        ("https://client.example", "no path"),
        ("https://client.example/", "no path"),
        ("https://client.example/a/../b", "one form"),
        ("https://client.example/%2e%2e/b", "one form"),
        ("https://client.example/./b", "one form"),
        ("https://CLIENT.example/a", "one form"),
        ("https://client.example:443/a", "one form"),
        ("https://client.example\\@evil.example/a", "one form"),
        ("https://client.example/a b", "one form"),
        ("https://client.example/\u{fc}", "one form"),
        ("https://2130706433/a", "one form"),
        ("https://0x7f.1/a", "one form"),
        ("https://127.1/a", "one form"),
        ("https://[::ffff:127.0.0.1]/a", "one form"),
        ("https://", "not a URL"),
        ("https://[::1/a", "not a URL"),
        ("http://client.example/a", "not registered"),
        ("ftp://client.example/a", "not registered"),
        ("file:///etc/passwd", "not registered"),
        ("HTTPS://client.example/a", "not registered"),
        ("javascript:alert(1)", "not registered"),
    ];
    // In the one form that there is of them; this server is on loopback, and may go there.
    for address in [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::ffff:7f00:1]",
        "[::ffff:a00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:1::1]",
        "[2001:db8::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::]",
        "[::7f00:1]",
    ] {
        let id: &'static str = String::leak(format!("https://{address}/latest/meta-data/"));
        rows.push((id, "which is"));
    }
    for (id, says) in rows {
        let page = ask(&server, id).await;
        assert_eq!(page.status, 400, "{id}: {}", page.body);
        assert!(page.body.contains(says), "{id}: {}", page.body);
        assert!(!page.headers.contains_key("location"), "{id}");
        let request = [("grant_type", "authorization_code"), ("client_id", id), ("code", "x")];
        let token = server.post_form("/token", &form(&request, &[])).await;
        token.assert_error(401, "invalid_client");
    }
    let long = format!("https://client.example/{}", "a".repeat(250));
    assert!(ask(&server, &long).await.body.contains("longer than 256"));
}

/// A document of the host's, changed.
fn changed(url: &str, member: &str, value: Value) -> Answer {
    let mut document = document(url);
    document[member] = value;
    Answer::ok(JSON, &document.to_string())
}

fn without(url: &str, member: &str) -> Answer {
    changed(url, member, Value::Null)
}

fn hostile(path: &str, host: &str) -> Answer {
    let url = format!("https://{host}{path}");
    let good = document(&url).to_string();
    let head = |rest: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: {JSON}\r\n{rest}\r\n");
    let keys = json!({"keys": []});
    match path {
        "/moved" => Answer::with("302 Found", &[("location", "/good")], ""),
        "/moved-inside" => {
            Answer::with("307 Moved", &[("location", "https://169.254.169.254/")], "")
        }
        "/missing" => Answer::with("404 Not Found", &[("content-type", JSON)], &good),
        "/created" => Answer::with("201 Created", &[("content-type", JSON)], &good),
        "/failing" => Answer::with("500 Oh", &[("content-type", JSON)], &good),
        "/busy" => Answer::with("429 Slow Down", &[("content-type", JSON)], &good),
        "/html" => Answer::ok("text/html", &good),
        "/untyped" => Answer::with("200 OK", &[], &good),
        "/long" => Answer::ok(JSON, &format!("{good}{}", " ".repeat(5 * 1024))),
        "/endless" => Answer::Endless(head("").into_bytes(), vec![b' '; 1000]),
        "/broken" => Answer::Whole([head("content-length: 999\r\n"), good].concat().into_bytes()),
        "/empty" => Answer::ok(JSON, ""),
        "/not-json" => Answer::ok(JSON, "client_id=x"),
        "/list" => Answer::ok(JSON, &format!("[{good}]")),
        "/latin1" => {
            let body = b"{\"client_name\":\"\xe9\"}";
            let head = head(&format!("content-length: {}\r\n", body.len()));
            Answer::Whole([head.as_bytes(), body].concat())
        }
        "/other" => changed(&url, "client_id", json!("https://client.example/other")),
        "/slash" => changed(&url, "client_id", json!(format!("{url}/"))),
        "/case" => changed(&url, "client_id", json!(url.replace("localhost", "LOCALHOST"))),
        "/no-id" => without(&url, "client_id"),
        "/number" => changed(&url, "client_id", json!(7)),
        "/no-name" => without(&url, "client_name"),
        "/blank-name" => changed(&url, "client_name", json!("  ")),
        "/odd-name" => changed(&url, "client_name", json!("a\u{202e}b")),
        "/no-uris" => without(&url, "redirect_uris"),
        "/no-uri" => changed(&url, "redirect_uris", json!([])),
        "/script-uri" => changed(&url, "redirect_uris", json!(["javascript:alert(1)"])),
        "/plain-uri" => changed(&url, "redirect_uris", json!(["http://client.example/cb"])),
        "/secret" => changed(&url, "client_secret", json!("x")),
        "/secret-end" => changed(&url, "client_secret_expires_at", json!(0)),
        "/basic" => changed(&url, "token_endpoint_auth_method", json!("client_secret_basic")),
        "/post" => changed(&url, "token_endpoint_auth_method", json!("client_secret_post")),
        "/jwt" => changed(&url, "token_endpoint_auth_method", json!("client_secret_jwt")),
        "/keyless" => changed(&url, "token_endpoint_auth_method", json!("private_key_jwt")),
        "/no-keys" => {
            let mut document = document(&url);
            document["token_endpoint_auth_method"] = json!("private_key_jwt");
            document["jwks"] = keys;
            Answer::ok(JSON, &document.to_string())
        }
        "/implicit" => changed(&url, "grant_types", json!(["implicit"])),
        "/machine" => changed(&url, "grant_types", json!(["client_credentials"])),
        "/token-type" => changed(&url, "response_types", json!(["token"])),
        "/page" => changed(&url, "client_uri", json!("javascript:alert(1)")),
        _ => Answer::ok(JSON, &good),
    }
}

#[tokio::test]
async fn hostile_documents_are_refused() {
    let host = HttpsServer::start(hostile).await;
    let server = TestServer::reading_from(&[&host], |_| {});
    for (path, status, says) in [
        ("/moved", 400, "status 302"),
        ("/moved-inside", 400, "status 307"),
        ("/missing", 400, "status 404"),
        ("/created", 400, "status 201"),
        ("/failing", 503, "status 500"),
        ("/busy", 503, "status 429"),
        ("/html", 400, "not application/json"),
        ("/untyped", 400, "not application/json"),
        ("/long", 400, "longer than 5120 bytes"),
        ("/endless", 400, "longer than 5120 bytes"),
        ("/broken", 503, "does not answer"),
        ("/empty", 400, "not a JSON object"),
        ("/not-json", 400, "not a JSON object"),
        ("/list", 400, "not a JSON object"),
        ("/latin1", 400, "not a JSON object"),
        ("/other", 400, "another client_id"),
        ("/slash", 400, "another client_id"),
        ("/case", 400, "another client_id"),
        ("/no-id", 400, "no client_id"),
        ("/number", 400, "client_id must be a string"),
        ("/no-name", 400, "no client_name"),
        ("/blank-name", 400, "no client_name"),
        ("/odd-name", 400, "client_name has control characters"),
        ("/no-uris", 400, "redirect_uris is missing"),
        ("/no-uri", 400, "redirect_uris is missing"),
        ("/script-uri", 400, "redirect_uris: number 1"),
        ("/plain-uri", 400, "redirect_uris: number 1"),
        ("/secret", 400, "client_secret, and"),
        ("/secret-end", 400, "client_secret_expires_at, and"),
        ("/basic", 400, "token_endpoint_auth_method"),
        ("/post", 400, "token_endpoint_auth_method"),
        ("/jwt", 400, "token_endpoint_auth_method"),
        ("/keyless", 400, "jwks or jwks_uri"),
        ("/no-keys", 400, "jwks"),
        ("/implicit", 400, "grant_types"),
        ("/machine", 400, "grant_types"),
        ("/token-type", 400, "response_types"),
        ("/page", 400, "client_uri"),
    ] {
        let before = host.asked().len();
        let id = host.url(path);
        let page = ask(&server, &id).await;
        assert_eq!(page.status, status, "{path}: {}", page.body);
        assert!(page.body.contains(says), "{path}: {}", page.body);
        assert!(!page.headers.contains_key("location"), "{path}");
        assert_eq!(page.headers.contains_key("retry-after"), status == 503, "{path}");
        let kept = server.store.document(DocumentKind::Client, &id).await.unwrap();
        assert_eq!(kept, None, "{path}: nothing of it is kept");
        let request = [("grant_type", "authorization_code"), ("client_id", id.as_str())];
        let token = server.post_form("/token", &form(&request, &[])).await;
        match status {
            503 => token.assert_error(503, "temporarily_unavailable"),
            _ => token.assert_error(401, "invalid_client"),
        }
        assert_eq!(host.asked().len(), before + 2, "{path}: asked anew, and no redirect followed");
    }
    assert_eq!(ask(&server, &host.url("/good")).await.status, 200);
}

/// What the log has, so that it can be searched and counted.
#[tokio::test]
async fn each_reason_has_a_word() {
    let host = HttpsServer::start(hostile).await;
    let server = TestServer::reading_from(&[&host], |_| {});
    for (id, reason) in [
        (host.url("/moved"), "status"),
        (host.url("/other"), "other_client_id"),
        ("https://10.0.0.1/a".to_owned(), "address_not_public"),
        ("https://client.example/".to_owned(), "url"),
    ] {
        let Err(LookupError::Document(error)) = server.context.client(&id).await else {
            panic!("{id} is no good");
        };
        assert_eq!(error.reason(), reason, "{id}: {error}");
    }
}

#[tokio::test]
async fn a_document_is_kept_as_long_as_its_host_says_within_bounds() {
    for (said, seconds) in [("max-age=600", 600), ("no-store", 60), ("max-age=86400", 3600)] {
        let host = HttpsServer::start(move |path, host| {
            let body = document(&format!("https://{host}{path}")).to_string();
            Answer::with("200 OK", &[("content-type", JSON), ("cache-control", said)], &body)
        })
        .await;
        let server = TestServer::reading_from(&[&host], |_| {});
        let id = host.url("/client.json");
        for (after, fetched) in [(0, 1), (seconds - 1, 1), (1, 2)] {
            server.clock.advance(Duration::from_secs(after));
            assert_eq!(ask(&server, &id).await.status, 200);
            assert_eq!(host.asked().len(), fetched, "{said} after {after} more");
        }
    }
}

#[tokio::test]
async fn many_who_ask_at_once_have_it_fetched_once() {
    let host = honest().await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let id = host.url("/client.json");
    let asked = (0..20).map(|_| server.context.client(&id));
    for client in futures::future::join_all(asked).await {
        assert_eq!(client.unwrap().unwrap().id, id);
    }
    assert_eq!(host.asked().len(), 1);
}

#[tokio::test]
async fn what_a_document_no_longer_says_no_longer_counts() {
    let host = HttpsServer::start({
        let asked = std::sync::atomic::AtomicUsize::new(0);
        move |path, host| {
            let url = format!("https://{host}{path}");
            match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => Answer::ok(JSON, &document(&url).to_string()),
                _ => changed(&url, "redirect_uris", json!(["https://client.example/new"])),
            }
        }
    })
    .await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let id = host.url("/client.json");
    let form = ask(&server, &id).await.form();
    server.clock.advance(Duration::from_secs(301));
    let page = server.submit(&form, &[]).await;
    assert_eq!(page.status, 400, "where it would be sent is not the client's any more");
    assert!(!page.headers.contains_key("location"));
}

#[tokio::test]
async fn whose_documents_are_read_can_be_said() {
    let host = honest().await;
    let id = host.url("/client.json");
    let metadata = async |server: &TestServer| {
        server.get("/.well-known/oauth-authorization-server").await.json()
            ["client_id_metadata_document_supported"]
            .take()
    };
    let nobody = |config: &mut crate::Config| config.client_documents = DocumentHosts::Nobody;
    let server = TestServer::reading_from(&[&host], nobody);
    let page = ask(&server, &id).await;
    assert!(page.status == 400 && page.body.contains("not registered"), "{}", page.body);
    assert_eq!(metadata(&server).await, json!(false));
    assert!(host.asked().is_empty());

    let only = |hosts: &[&str]| {
        let hosts = DocumentHosts::Only(hosts.iter().map(|host| (*host).to_owned()).collect());
        TestServer::reading_from(&[&host], |config| config.client_documents = hosts)
    };
    let server = only(&["client.example", "calhost"]);
    let page = ask(&server, &id).await;
    assert!(page.status == 400 && page.body.contains("not read here"), "{}", page.body);
    assert!(host.asked().is_empty());
    let server = only(&["client.example", "localhost"]);
    assert_eq!(ask(&server, &id).await.status, 200);
    assert_eq!(metadata(&server).await, json!(true));
}

/// What one instance may read another need not: each judges by its own settings.
#[tokio::test]
async fn what_was_kept_is_judged_again() {
    let host = HttpsServer::start(|path, host| {
        let url = format!("https://{host}{path}");
        changed(&url, "redirect_uris", json!(["cursor://a.b/cb"]))
    })
    .await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let strict = TestServer::reading_from(&[&host], |config| config.app_schemes.clear());
    let id = host.url("/client.json");
    assert!(server.context.client(&id).await.unwrap().is_some());
    let kept = server.store.document(DocumentKind::Client, &id).await.unwrap().unwrap();
    let life = Duration::from_secs(60);
    strict.store.keep_document(DocumentKind::Client, &id, &kept, life).await.unwrap();
    assert!(strict.context.client(&id).await.is_err());
    assert_eq!(host.asked().len(), 2);
}

#[tokio::test]
async fn a_client_that_the_operator_lists_is_never_read_from_elsewhere() {
    let host = honest().await;
    let id = host.url("/client.json");
    let list = json!([
        {"client_id": id, "client_name": "Listed", "redirect_uris": [BACK],
            "token_endpoint_auth_method": "none"},
        {"client_id": "known", "client_name": "Known", "redirect_uris": [BACK],
            "token_endpoint_auth_method": "client_secret_post",
            "client_secret": "a secret of at least 32 characters"},
    ]);
    let listed = ListedClients::parse(&list.to_string(), &[]).unwrap();
    let server = TestServer::reading_from(&[&host], |config| config.listed_clients = listed);
    let page = ask(&server, &id).await;
    assert!(page.body.contains("Listed"), "{}", page.body);
    assert!(!page.body.contains("The client is known by"), "no host vouches for it");
    assert!(host.asked().is_empty());

    server.put_client(&client("known")).await;
    server.clock.advance(Duration::from_secs(400 * 24 * 60 * 60));
    let code = server.code("known", "alice", &[]).await;
    let request = [
        ("grant_type", "authorization_code"),
        ("client_id", "known"),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let with = |changes: &[(&str, &str)]| form(&request, changes);
    server.post_form("/token", &with(&[])).await.assert_error(401, "invalid_client");
    let secret = ("client_secret", "a secret of at least 32 characters");
    assert_eq!(server.post_form("/token", &with(&[secret])).await.status, 200);
}

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

#[tokio::test]
async fn a_store_that_is_away_is_no_fault_of_the_client() {
    let host = honest().await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let id = host.url("/client.json");
    for operations in 0..2 {
        server.faults.is_away_after(operations);
        assert_eq!(ask(&server, &id).await.status, 503, "{operations}");
    }
    server.faults.is_back();
    assert_eq!(ask(&server, &id).await.status, 200);
    let described = server.context.client(&id).await.unwrap().unwrap();
    assert_eq!(described.auth, ClientAuth::None);
}
