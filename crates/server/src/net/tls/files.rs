//! The files of a certificate.

use std::{fs, io, os::unix::fs::MetadataExt as _, path::Path, path::PathBuf};

use thiserror::Error;
use tokio_rustls::rustls::{
    self, InconsistentKeys,
    crypto::aws_lc_rs::default_provider,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    sign::CertifiedKey,
};

/// Where a certificate and its key are, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Why they cannot be used. Nothing of what they hold is repeated.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum TlsProblem {
    #[error("{0}")]
    Certificate(String),
    #[error("{0}")]
    Key(String),
    #[error("it is not the key of the certificate in TLS_CERT")]
    Mismatch,
}

impl TlsProblem {
    /// The setting that names the file.
    pub(crate) const fn variable(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "TLS_CERT",
            Self::Key(_) | Self::Mismatch => "TLS_KEY",
        }
    }
}

/// By what it is noticed that the files are others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp([Option<(u64, u64, i64, i64)>; 2]);

impl TlsFiles {
    /// The certificate, and those that lead from it to one that clients trust.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
        let none = "there is no certificate in it";
        let wrong = |error| TlsProblem::Certificate(told(error, none));
        let read = CertificateDer::pem_file_iter(&self.cert).map_err(wrong)?;
        let read: Vec<_> = read.collect::<Result<_, _>>().map_err(wrong)?;
        if read.is_empty() {
            return Err(TlsProblem::Certificate(none.to_owned()));
        }
        Ok(read)
    }

    /// Its key.
    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, TlsProblem> {
        let none = "there is no private key in it that can be read without a passphrase";
        PrivateKeyDer::from_pem_file(&self.key).map_err(|error| TlsProblem::Key(told(error, none)))
    }

    /// Both, if they fit.
    pub(crate) fn read(&self) -> Result<CertifiedKey, TlsProblem> {
        let (certificates, key) = (self.certificates()?, self.key()?);
        CertifiedKey::from_der(certificates, key, &default_provider()).map_err(
            |error| match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsProblem::Mismatch
                }
                rustls::Error::InvalidCertificate(why) => TlsProblem::Certificate(why.to_string()),
                other => TlsProblem::Key(other.to_string()),
            },
        )
    }

    pub(super) fn stamp(&self) -> Stamp {
        let of = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
        };
        Stamp([of(&self.cert), of(&self.key)])
    }
}

/// Why a file cannot be read; or else what it lacks.
fn told(error: pem::Error, lacks: &str) -> String {
    match error {
        pem::Error::Io(error) => io::Error::to_string(&error),
        _ => lacks.to_owned(),
    }
}
