//! An HTTPS server for tests, which answers as badly as it is told to.

#![expect(clippy::missing_panics_doc, reason = "it is for tests")]

use std::{
    fs,
    net::Ipv4Addr,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::Certificate;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// What a server says to a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes, and the end.
    Whole(Vec<u8>),
    /// These bytes, and then nothing more, while the connection stays open.
    Unfinished(Vec<u8>),
    /// The first bytes, and then the others again and again.
    Endless(Vec<u8>, Vec<u8>),
}

impl Answer {
    /// Status 200 with a body of this type.
    pub fn ok(media_type: &str, body: &str) -> Self {
        Self::with("200 OK", &[("content-type", media_type)], body)
    }

    /// This status line, these headers, and a length that fits the body.
    pub fn with(status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let mut answer = format!("HTTP/1.1 {status}\r\n");
        for (name, value) in headers {
            answer.extend([name, ": ", value, "\r\n"]);
        }
        answer.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n", body]);
        Self::Whole(answer.into_bytes())
    }
}

/// An HTTPS server on a loopback port, with a certificate for `localhost`, `127.0.0.1` and
/// `*.example.com` that nobody trusts who is not told to. It ends with the test.
#[derive(Debug)]
pub struct HttpsServer {
    port: u16,
    folder: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl HttpsServer {
    /// Starts one. What it answers depends on the path and query of the request, and on the name and
    /// port that it is asked as.
    pub async fn start(answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> Self {
        let folder = certificate();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let served = Served {
            acceptor: acceptor(&folder),
            asked: Arc::clone(&asked),
            answer: Arc::new(answer),
        };
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        Self { port, folder, asked, task }
    }

    /// The URL of a path of it, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The head of each request that came, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A file with its certificate in PEM.
    pub fn certificate_file(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Its certificate.
    pub fn certificate(&self) -> Certificate {
        let pem = fs::read(self.certificate_file()).expect("it was written");
        Certificate::from_pem(&pem).expect("it is one")
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Answering = dyn Fn(&str, &str) -> Answer + Send + Sync;

#[derive(Clone)]
struct Served {
    acceptor: TlsAcceptor,
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Answering>,
}

impl Served {
    /// A client that does not trust the certificate, or goes away, is no failure.
    async fn serve(self, stream: TcpStream) -> Option<()> {
        let mut stream = self.acceptor.accept(stream).await.ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        let path = head.split(' ').nth(1)?.to_owned();
        let host =
            head.lines().find_map(|line| line.split_once(": ").filter(is_host))?.1.to_owned();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(head);
        match (self.answer)(&path, &host) {
            Answer::Whole(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.shutdown().await.ok()
            }
            Answer::Unfinished(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.flush().await.ok()?;
                // Until the client has had enough.
                stream.read_u8().await.ok().map(drop)
            }
            Answer::Endless(first, then) => {
                stream.write_all(&first).await.ok()?;
                loop {
                    stream.write_all(&then).await.ok()?;
                }
            }
        }
    }
}

fn is_host((name, _): &(&str, &str)) -> bool {
    name.eq_ignore_ascii_case("host")
}

/// A folder with such a certificate, `cert.pem`, and its key, `key.pem`.
pub fn certificate() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names = "subjectAltName=DNS:localhost,DNS:*.example.com,IP:127.0.0.1";
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", names])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output()
        .expect("openssl is installed (`make tools`)");
    assert!(made.status.success(), "{made:?}");
    folder
}

fn acceptor(folder: &TempDir) -> TlsAcceptor {
    let file = |name| folder.path().join(name);
    let certificates = CertificateDer::pem_file_iter(file("cert.pem")).expect("it was written");
    let certificates = certificates.map(|one| one.expect("it is one")).collect();
    let key = PrivateKeyDer::from_pem_file(file("key.pem")).expect("it was written");
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("they fit");
    TlsAcceptor::from(Arc::new(config))
}
