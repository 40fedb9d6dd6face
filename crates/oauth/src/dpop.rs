//! Proof of possession (RFC 9449): a token that is bound to a key is good only for whoever shows,
//! with each request, that it has the key.

mod nonce;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::{
    Clock, Random, SecretKeys, StoreError,
    oauth::{AttemptId, Replays, SecretHash},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::{
    jose::{Jws, JwsError, NumericDate, PublicKey, SigningAlgorithm},
    resources::same_resource,
    wire::Code,
};

/// Where the proof is.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("dpop");
/// Where a client finds the nonce for its next proof.
pub(crate) const NONCE_HEADER: HeaderName = HeaderName::from_static("dpop-nonce");

/// How far from now a proof may have been made, as clients' clocks go wrong.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// Past the last moment in which it would be taken.
const MARGIN: Duration = Duration::from_secs(1);
const LONGEST_ID: usize = 255;

/// The signature algorithms of proofs, as a challenge lists them.
pub(crate) fn algorithms() -> String {
    SigningAlgorithm::NAMES.join(" ")
}

/// Whether this is the thumbprint of a key: SHA-256 in base64url.
pub(crate) fn is_thumbprint(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// What it takes to check proofs of possession (RFC 9449, section 4.3).
#[derive(Clone)]
pub struct Proofs {
    /// Remembers which ones were used. Instances that share it take each proof once.
    pub replays: Arc<dyn Replays>,
    /// The time by which a proof is new.
    pub clock: Arc<dyn Clock>,
    /// Where the names of attempts come from.
    pub random: Arc<dyn Random>,
    /// The keys that make nonces. With them each proof must have a nonce (sections 8 and 9), so that
    /// nobody who has the key for a moment can make proofs for later; without, none needs one.
    pub nonces: Option<SecretKeys>,
}

/// The request that a proof has to be about.
pub(crate) struct About<'a> {
    pub(crate) method: &'a Method,
    /// The public URL, as the client knows it.
    pub(crate) uri: &'a str,
    /// The access token that comes with it.
    pub(crate) token: Option<&'a str>,
}

/// A proof that is right for its request, unless it was used before.
pub(crate) struct Proof {
    thumbprint: String,
    name: SecretHash,
    life: Duration,
}

/// Why a proof proves nothing. The text has nothing of the proof in it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum ProofError {
    #[error("there is no DPoP header")]
    Missing,
    #[error("there are several DPoP headers")]
    Several,
    #[error("the DPoP proof is not good: {0}")]
    Jws(#[from] JwsError),
    #[error("the DPoP proof must have the typ dpop+jwt")]
    Type,
    #[error("the jwk of the DPoP proof is not a public key that is taken here")]
    NoKey,
    #[error("the htm of the DPoP proof is not the method of the request")]
    Method,
    #[error("the htu of the DPoP proof is not the URL of the request")]
    Uri,
    #[error("the iat of the DPoP proof is missing, or more than 5 minutes from now")]
    Time,
    #[error("the jti of the DPoP proof is missing or too long")]
    NoId,
    #[error("the ath of the DPoP proof is not the hash of the access token")]
    OtherToken,
    #[error("the DPoP proof is made with another key than that of the access token")]
    OtherKey,
    #[error("the DPoP proof must have the nonce of the DPoP-Nonce header")]
    Nonce,
    #[error("the DPoP proof was used before")]
    Replayed,
}

impl ProofError {
    /// The error code of sections 5, 7.1, 8 and 9.
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::Nonce => Code::UseDpopNonce,
            Self::Missing
            | Self::Several
            | Self::Jws(_)
            | Self::Type
            | Self::NoKey
            | Self::Method
            | Self::Uri
            | Self::Time
            | Self::NoId
            | Self::OtherToken
            | Self::OtherKey
            | Self::Replayed => Code::InvalidDpopProof,
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    htm: Option<String>,
    htu: Option<String>,
    iat: Option<NumericDate>,
    jti: Option<String>,
    ath: Option<String>,
    nonce: Option<String>,
}

impl Proof {
    /// The thumbprint of the key that made it.
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

impl Proofs {
    /// The proof that came with a request.
    pub(crate) fn read(&self, headers: &HeaderMap, about: &About<'_>) -> Result<Proof, ProofError> {
        let mut values = headers.get_all(HEADER).iter();
        let value = values.next().ok_or(ProofError::Missing)?;
        if values.next().is_some() {
            return Err(ProofError::Several);
        }
        let jws = Jws::read(value.to_str().map_err(|_| JwsError::Malformed)?)?;
        if !jws.is_typed("dpop+jwt") {
            return Err(ProofError::Type);
        }
        let key = jws.jwk().and_then(|jwk| PublicKey::parse(jwk).ok()).ok_or(ProofError::NoKey)?;
        let claims: Claims = jws.verify(&key)?;
        if claims.htm.as_deref() != Some(about.method.as_str()) {
            return Err(ProofError::Method);
        }
        // Query and fragment do not count (section 4.3).
        let htu = claims.htu.as_deref().and_then(|htu| htu.split(['?', '#']).next());
        if !htu.is_some_and(|htu| same_resource(htu, about.uri)) {
            return Err(ProofError::Uri);
        }
        let now = self.clock.now();
        let made = claims.iat.ok_or(ProofError::Time)?.timestamp();
        if now > made + WINDOW || made > now + WINDOW {
            return Err(ProofError::Time);
        }
        let is_id = |jti: &String| (1..=LONGEST_ID).contains(&jti.len());
        let jti = claims.jti.filter(is_id).ok_or(ProofError::NoId)?;
        if about.token.is_some_and(|token| claims.ath != Some(hash_of(token))) {
            return Err(ProofError::OtherToken);
        }
        let knows = |nonce: &str, keys| nonce::is_new(nonce, keys, now);
        if let Some(keys) = &self.nonces
            && !claims.nonce.is_some_and(|nonce| knows(&nonce, keys))
        {
            return Err(ProofError::Nonce);
        }
        let thumbprint = key.thumbprint().to_owned();
        let name = SecretHash::of(&format!("dpop\n{thumbprint}\n{jti}"));
        Ok(Proof { thumbprint, name, life: (made + WINDOW + MARGIN).since(now) })
    }

    /// Uses a proof up, for all instances. `false` if it was.
    pub(crate) async fn is_first(
        &self,
        proof: &Proof,
        attempt: &AttemptId,
    ) -> Result<bool, StoreError> {
        self.replays.remember_once(&proof.name, attempt, proof.life).await
    }

    pub(crate) fn attempt(&self) -> AttemptId {
        AttemptId::draw(&*self.random)
    }

    /// The nonce for the next proof, if it must have one.
    pub(crate) fn nonce(&self) -> Option<HeaderValue> {
        self.nonces.as_ref().map(|keys| nonce::at(keys, self.clock.now()))
    }
}

/// The `ath` of an access token (section 4.2).
fn hash_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
