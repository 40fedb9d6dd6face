//! Clients that describe themselves, against a host that serves what it should not.

mod hostile;
mod kept;
mod keys;

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

/// A document of the host's, changed.
fn changed(url: &str, member: &str, value: Value) -> Answer {
    let mut document = document(url);
    document[member] = value;
    Answer::ok(JSON, &document.to_string())
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
    let local = "http://127.0.0.1:7/cb";
    for (path, uri, warned) in
        [("/local", local, true), ("/mixed", local, true), ("/mixed", BACK, false)]
    {
        let url = authorize_url(&host.url(path), &[("redirect_uri", uri)]);
        let page = server.get(&url).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.body.contains("Any program on this computer"), warned, "{}", page.body);
    }
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
