//! A client that knows the server's own certificate.
//!
//! The commands that ask a running server have its files at hand. What they know is that very
//! certificate: not whoever signed it, and not the name they ask by, which is a loopback address
//! where the certificate is for the public name.

use std::sync::Arc;

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        WebPkiSupportedAlgorithms, aws_lc_rs::default_provider, verify_tls12_signature,
        verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::TlsFiles;

/// Who else is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    Nobody,
    /// Whoever has a certificate that this machine trusts.
    AsUsual,
}

/// The TLS of a client that trusts the certificate in the file. The error is for people.
pub(crate) fn trusting(files: &TlsFiles, others: Others) -> Result<ClientConfig, String> {
    let provider = Arc::new(default_provider());
    let certificates = files.certificates().map_err(|problem| problem.to_string())?;
    let own = certificates.into_iter().next().ok_or("there is no certificate")?;
    let others = match others {
        Others::Nobody => None,
        // A machine may trust nobody.
        Others::AsUsual => Verifier::new(Arc::clone(&provider)).ok(),
    };
    let known = Known { own, others, algorithms: provider.signature_verification_algorithms };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(known))
        .with_no_client_auth();
    Ok(config)
}

#[derive(Debug)]
struct Known {
    own: CertificateDer<'static>,
    others: Option<Verifier>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // Whether it has the key as well is what the signatures below show.
        if *end_entity == self.own {
            return Ok(ServerCertVerified::assertion());
        }
        let unknown = CertificateError::ApplicationVerificationFailure;
        let others = self.others.as_ref().ok_or(Error::InvalidCertificate(unknown))?;
        others.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
