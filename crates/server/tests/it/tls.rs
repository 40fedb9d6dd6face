//! The server speaks TLS itself.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use http::StatusCode;
use mcp_everything_fetch::testing::certificate;
use reqwest::{Certificate, Client};
use rmcp::{
    ServiceExt as _,
    model::CallToolRequestParams,
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{AuthServer, BOUND, Log, Server, binary, secrets, soon};

/// A certificate, where a server has it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(certificate())
    }

    fn cert(&self) -> PathBuf {
        self.0.path().join("cert.pem")
    }

    fn settings(&self) -> [(&'static str, String); 2] {
        let key = self.0.path().join("key.pem");
        [("TLS_CERT", text(&self.cert())), ("TLS_KEY", text(&key))]
    }

    fn server(&self, others: &[(&str, &str)]) -> Server {
        let own = self.settings();
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        Server::with(&own.chain(others.iter().copied()).collect::<Vec<_>>())
    }

    /// A client that trusts this certificate and nothing else.
    fn client(&self) -> Client {
        let certificate = Certificate::from_pem(&fs::read(self.cert()).unwrap()).unwrap();
        Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap()
    }

    fn run(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
        binary()
            .args(arguments)
            .envs(self.settings())
            .envs(settings.iter().copied())
            .output()
            .unwrap()
    }

    /// An access token for a server.
    fn login(&self, server: &Server) -> String {
        let output = self.run(&["login", "--server", &server.base, "--user", "alice"], &[]);
        assert!(output.status.success(), "{output:?}");
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        secrets::seen(&token);
        token
    }

    /// Takes the place of these files, the certificate first.
    fn replace(&self, other: &Files) {
        for (path, (_, by)) in
            [self.cert(), self.0.path().join("key.pem")].iter().zip(other.settings())
        {
            fs::copy(by, path).unwrap();
        }
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// What a real client is told by `whoami`.
async fn whoami(server: &Server, client: Client, token: &str) -> String {
    let config =
        StreamableHttpClientTransportConfig::with_uri(server.url("/mcp")).auth_header(token);
    let transport = StreamableHttpClientTransport::with_client(client, config);
    let service = soon(().serve(transport)).await.unwrap();
    let result = soon(service.call_tool(CallToolRequestParams::new("whoami"))).await.unwrap();
    assert_ne!(result.is_error, Some(true), "{result:?}");
    soon(service.cancel()).await.unwrap();
    json!(result).to_string()
}

#[tokio::test]
async fn clients_sign_in_and_call_over_tls() {
    let files = Files::new();
    let mut server = files.server(&[]);
    let told = whoami(&server, files.client(), &files.login(&server)).await;
    assert!(told.contains("alice"), "{told}");
    let metadata =
        soon(files.client().get(server.url("/.well-known/oauth-authorization-server")).send());
    let metadata: serde_json::Value = soon(metadata.await.unwrap().json()).await.unwrap();
    assert_eq!(metadata["issuer"], server.base);
    assert!(metadata["token_endpoint"].as_str().unwrap().starts_with("https://"));
    let account = soon(files.client().get(server.url("/account")).send()).await.unwrap();
    let cookie = account.headers()["set-cookie"].to_str().unwrap();
    secrets::seen_in_answer(&account);
    assert!(cookie.starts_with("__Host-") && cookie.contains("Secure"), "a cookie of https alone");
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--cacert"])
        .arg(files.cert())
        .arg(server.url("/readyz"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&curl.stdout).contains("ready"), "{curl:?}");
    let stranger = Files::new().client().get(server.url("/readyz")).send();
    assert!(soon(stranger).await.is_err(), "nobody else's certificate is its own");
    server.signal("-TERM");
    assert!(server.wait().success());
}

#[tokio::test]
async fn in_separate_mode_both_speak_it() {
    let files = Files::new();
    let log = std::sync::Arc::<Log>::default();
    let own = files.settings();
    let own = own.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
    let auth_server = AuthServer::start(1, &own, &log);
    assert!(auth_server.issuer.starts_with("https://"));
    let cert = text(&files.cert());
    let trust = [
        ("AUTH_MODE", "separate"),
        ("AUTH_SERVER_URL", auth_server.issuer.as_str()),
        ("SSL_CERT_FILE", &cert),
    ];
    let server = Server::one(&own.iter().copied().chain(trust).collect::<Vec<_>>(), log);
    server.logged("auth.server.found");
    let told = whoami(&server, files.client(), &files.login(&server)).await;
    assert!(told.contains(&auth_server.issuer), "{told}");
}

#[test]
fn healthcheck_trusts_this_very_certificate() {
    let (files, other) = (Files::new(), Files::new());
    let server = files.server(&[("AUTH_MODE", "none")]);
    let port = server.instances[0].port.to_string();
    let ready = files.run(&["healthcheck"], &[("PORT", &port)]);
    assert!(ready.status.success(), "{ready:?}");
    let refused = other.run(&["healthcheck"], &[("PORT", &port)]);
    assert!(!refused.status.success(), "another certificate is not what it asks for");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("certificate"), "{refused:?}");
}

fn connect(server: &Server) -> TcpStream {
    let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, server.instances[0].port)).unwrap();
    connection.set_read_timeout(Some(BOUND)).unwrap();
    connection
}

#[test]
fn a_request_in_clear_is_told_so() {
    let server = Files::new().server(&[]);
    let mut connection = connect(&server);
    let request = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("it is answered, and that is the end");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_has_a_place_like_everybody() {
    let files = Files::new();
    let server = files.server(&[("RATE_LIMITS", "connections=1"), ("AUTH_MODE", "none")]);
    let silent = connect(&server);
    // It is closed without a word, as a word would not be understood.
    let mut second = connect(&server);
    server.logged("connections.refused");
    assert!(matches!(second.read(&mut [0]), Ok(0) | Err(_)));
    drop(silent);
    let answered = async {
        while files.client().get(server.url("/readyz")).send().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
    let (files, next) = (Files::new(), Files::new());
    let server = files.server(&[("AUTH_MODE", "none")]);
    let asked = async |client: Client| {
        let answer = soon(client.get(server.url("/readyz")).send()).await;
        answer.map(|answer| answer.status())
    };
    let before = files.client();
    assert_eq!(asked(before.clone()).await.unwrap(), StatusCode::OK);
    let kept = fs::read(files.cert()).unwrap();
    fs::write(files.cert(), "nothing").unwrap();
    let told = server.logged("tls.not_renewed");
    assert_eq!(told["variable"], "TLS_CERT");
    fs::write(files.cert(), kept).unwrap();
    assert_eq!(asked(files.client()).await.unwrap(), StatusCode::OK, "the one before stays");
    server.logged("tls.renewed");
    let seen = server.log.len();
    files.replace(&next);
    let renewed = server.log.find_after(seen, |line| line["event"] == "tls.renewed");
    assert!(renewed.is_some());
    assert_eq!(asked(next.client()).await.unwrap(), StatusCode::OK);
    assert_eq!(asked(before).await.unwrap(), StatusCode::OK, "a connection that is open goes on");
}
