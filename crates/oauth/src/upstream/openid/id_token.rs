//! Whom an ID token is about (OpenID Connect Core 1.0, section 3.1.3.7).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use openidconnect::{
    ClaimsVerificationError, ClientId, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm as Algorithm},
};

use super::{Metadata, OpenIdUpstream};
use crate::upstream::UpstreamError;

/// Those with a public key. An ID token that is signed with the client secret says nothing more than
/// that somebody has it, and some providers show it to more people than one.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

impl OpenIdUpstream {
    /// The `sub` of a good one. A key that is not known may be new: the key set is then read again,
    /// once.
    pub(super) async fn subject(
        &self,
        token: &CoreIdToken,
        metadata: Arc<Metadata>,
        nonce: &str,
    ) -> Result<String, UpstreamError> {
        match self.verify(token, &metadata, nonce) {
            Err(ClaimsVerificationError::SignatureVerification(error)) if may_be_new(&error) => {
                let metadata = self.discovery.with_new_keys(&metadata).await?;
                self.verify(token, &metadata, nonce)
            }
            verified => verified,
        }
        .map_err(|error| wrong(&error))
    }

    fn verify(
        &self,
        token: &CoreIdToken,
        metadata: &Metadata,
        nonce: &str,
    ) -> Result<String, ClaimsVerificationError> {
        let client = ClientId::new(self.registration.client_id.clone());
        let now = self.clock.now().as_millis();
        let now = i64::try_from(now).ok().and_then(DateTime::<Utc>::from_timestamp_millis);
        let verifier = CoreIdTokenVerifier::new_public_client(
            client,
            metadata.issuer().clone(),
            metadata.jwks().clone(),
        )
        .set_allowed_algs(ALGORITHMS)
        // A clock beyond all dates makes every token old.
        .set_time_fn(move || now.unwrap_or(DateTime::<Utc>::MAX_UTC));
        let claims = token.claims(&verifier, &Nonce::new(nonce.to_owned()))?;
        Ok(claims.subject().to_string())
    }
}

/// Without a key id in the token, a new key shows as a signature that does not fit an old one.
const fn may_be_new(error: &SignatureVerificationError) -> bool {
    matches!(
        error,
        SignatureVerificationError::NoMatchingKey
            | SignatureVerificationError::AmbiguousKeyId(_)
            | SignatureVerificationError::CryptoError(_)
    )
}

fn wrong(error: &ClaimsVerificationError) -> UpstreamError {
    let what = match error {
        // Another login's: somebody may have put its code into this one.
        ClaimsVerificationError::InvalidNonce(_) => {
            return UpstreamError::bad_answer("its ID token is not for this login");
        }
        ClaimsVerificationError::InvalidIssuer(_) => "names another issuer",
        ClaimsVerificationError::InvalidAudience(_) => "is not for this server alone",
        ClaimsVerificationError::Expired(_) => "has expired, or the clocks differ",
        ClaimsVerificationError::SignatureVerification(_) => "is not signed as it must be",
        _ => "is not valid",
    };
    UpstreamError::faulty(format!("its ID token {what}"))
}
