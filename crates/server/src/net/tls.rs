//! TLS of the server's own.

mod files;
mod known;

use std::{
    fmt, io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs::default_provider,
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
    server::TlsStream,
};

use self::files::Stamp;
pub(crate) use self::{
    files::{TlsFiles, TlsProblem},
    known::{Others, trusting},
};
use super::written::Written;

/// How long a client may take until the connection is encrypted.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often it is looked whether the files are others.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The only protocol that is spoken inside, by the name that clients ask for it by (RFC 7301).
const HTTP_1_1: &[u8] = b"http/1.1";
/// What the first record of a TLS connection begins with (RFC 8446 section 5.1), and no request.
const A_HANDSHAKE: u8 = 22;

/// What TLS connections are taken with.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
    files: TlsFiles,
    loaded: Stamp,
}

/// What a client that connected wants.
pub(super) enum Begun {
    Encrypted(Box<TlsStream<Written<TcpStream>>>),
    /// It sends something that is not TLS.
    Plain(Written<TcpStream>),
}

impl Tls {
    /// With what the files hold now.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, TlsProblem> {
        // Whatever is written from here on is noticed.
        let loaded = files.stamp();
        let certificate = Arc::new(Certificate(RwLock::new(Arc::new(files.read()?))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsProblem::Certificate(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as _);
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { acceptor, certificate, files: files.clone(), loaded })
    }

    /// Encrypts a connection, if that is what its client is about to do.
    pub(super) async fn begin(&self, connection: Written<TcpStream>) -> io::Result<Begun> {
        let begin = async {
            let mut first = [0];
            if connection.get_ref().peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first != [A_HANDSHAKE] {
                return Ok(Begun::Plain(connection));
            }
            Ok(Begun::Encrypted(Box::new(self.acceptor.accept(connection).await?)))
        };
        timeout(HANDSHAKE, begin).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Takes what the files hold whenever they are others. What does not fit is not taken: the two
    /// may be written one after the other.
    pub(crate) async fn keep(self) {
        let Self { certificate, files, mut loaded, .. } = self;
        let mut told = loaded.clone();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let (looked_at, before) = (files.clone(), loaded.clone());
            let look = move || {
                let stamp = looked_at.stamp();
                (stamp != before).then(|| (stamp, looked_at.read()))
            };
            let Ok(Some((stamp, read))) = tokio::task::spawn_blocking(look).await else { continue };
            match read {
                Ok(read) => {
                    loaded = stamp;
                    certificate.replace(read);
                    tracing::info!(event = "tls.renewed", "the certificate is another one");
                }
                // They are tried again until they are of use: what was wrong may be who may read
                // them, by which no stamp becomes another.
                Err(problem) if stamp != told => {
                    told = stamp;
                    tracing::warn!(event = "tls.not_renewed", variable = problem.variable(),
                        reason = %problem, "the files of the certificate have changed and are of \
                         no use; the one before stays");
                }
                Err(_) => {}
            }
        }
    }
}

/// The certificate of new connections.
struct Certificate(RwLock<Arc<CertifiedKey>>);

impl Certificate {
    fn replace(&self, by: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(by);
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Its key is nobody's business.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_fetch::testing::certificate;
    use tokio::net::TcpListener;

    use super::*;
    use crate::net::busy::Busy;

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        let folder = certificate();
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        let tls = Tls::load(&TlsFiles { cert, key }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (connection, _) = listener.accept().await.unwrap();
        let connection = Written::new(connection, Busy::new(Arc::default()));
        let Err(error) = tls.begin(connection).await else { panic!("it waits for a handshake") };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(silent);
    }
}
