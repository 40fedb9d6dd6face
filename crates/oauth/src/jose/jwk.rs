//! Public keys (RFC 7517, RFC 7518, RFC 8037).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{Jws, SigningAlgorithm};

/// More keys than this are no set of anybody's.
const MOST_KEYS: usize = 64;
/// Of a modulus, in bytes (RFC 7518, section 3.3).
const SHORTEST_MODULUS: usize = 256;
const LONGEST_MODULUS: usize = 1024;
const LONGEST_KID: usize = 256;

/// A public key that verifies signatures.
#[derive(Clone)]
pub(crate) struct PublicKey {
    kind: Kind,
    key: DecodingKey,
    kid: Option<String>,
    algorithm: Option<SigningAlgorithm>,
    thumbprint: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    P256,
    P384,
    Rsa,
    Ed25519,
}

/// Why a key is not used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum JwkError {
    #[error("it is not a key")]
    Malformed,
    #[error("its kind or use is not one of those that verify signatures here")]
    OtherUse,
    #[error("it has a private part")]
    Private,
    #[error("it is shorter than 2048 bits")]
    Weak,
}

impl PublicKey {
    /// Reads one JWK.
    pub(crate) fn parse(value: &Value) -> Result<Self, JwkError> {
        let fields = Fields(value.as_object().ok_or(JwkError::Malformed)?);
        // Also `k`, which is the whole of a shared secret.
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| fields.has(name)) {
            return Err(JwkError::Private);
        }
        let verifies = fields.0.get("key_ops").is_none_or(|value| {
            value.as_array().is_some_and(|ops| ops.iter().any(|operation| operation == "verify"))
        });
        if !verifies || fields.0.get("use").is_some_and(|value| value != "sig") {
            return Err(JwkError::OtherUse);
        }
        let algorithm = match fields.0.get("alg") {
            None => None,
            Some(value) => {
                let known = value.as_str().and_then(SigningAlgorithm::parse);
                Some(known.ok_or(JwkError::OtherUse)?)
            }
        };
        let kid = match fields.0.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= LONGEST_KID => Some(kid.clone()),
            Some(_) => return Err(JwkError::Malformed),
        };
        let (shape, key, thumbprint) = material(&fields)?;
        let key = Self { kind: shape, key, kid, algorithm, thumbprint };
        if algorithm.is_some_and(|algorithm| !shape.verifies(algorithm)) {
            return Err(JwkError::Malformed);
        }
        Ok(key)
    }

    /// SHA-256 over what makes the key (RFC 7638), in base64url: what a token that is bound to the
    /// key has as `cnf.jkt`.
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Whether something with this header can have been signed with it.
    pub(super) fn fits(&self, jws: &Jws<'_>) -> bool {
        let algorithm = jws.algorithm();
        let is_named = match (&self.kid, jws.kid()) {
            (Some(kid), Some(named)) => kid == named,
            // A hint that one of the two does not give (RFC 7515, section 4.1.4).
            (None, _) | (_, None) => true,
        };
        is_named
            && self.kind.verifies(algorithm)
            && self.algorithm.is_none_or(|own| own.verified_as() == algorithm.verified_as())
    }

    pub(super) const fn key(&self) -> &DecodingKey {
        &self.key
    }
}

impl Kind {
    const fn verifies(self, algorithm: SigningAlgorithm) -> bool {
        match algorithm {
            SigningAlgorithm::Es256 => matches!(self, Self::P256),
            SigningAlgorithm::Es384 => matches!(self, Self::P384),
            SigningAlgorithm::Ps256 | SigningAlgorithm::Rs256 => matches!(self, Self::Rsa),
            SigningAlgorithm::Ed25519 | SigningAlgorithm::EdDsa => matches!(self, Self::Ed25519),
        }
    }
}

struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn text(&self, name: &str) -> Result<&str, JwkError> {
        self.0.get(name).and_then(Value::as_str).ok_or(JwkError::Malformed)
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, JwkError> {
        URL_SAFE_NO_PAD.decode(self.text(name)?).map_err(|_| JwkError::Malformed)
    }

    fn exactly(&self, name: &str, length: usize) -> Result<Vec<u8>, JwkError> {
        let bytes = self.bytes(name)?;
        if bytes.len() == length { Ok(bytes) } else { Err(JwkError::Malformed) }
    }
}

/// The key, and its thumbprint: made from the decoded bytes, so that one key has one.
fn material(fields: &Fields<'_>) -> Result<(Kind, DecodingKey, String), JwkError> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (kind, key, members) = match fields.text("kty")? {
        "EC" => {
            let curve = fields.text("crv")?;
            let (kind, length) = match curve {
                "P-256" => (Kind::P256, 32),
                "P-384" => (Kind::P384, 48),
                _ => return Err(JwkError::OtherUse),
            };
            let (x, y) = (fields.exactly("x", length)?, fields.exactly("y", length)?);
            let key = DecodingKey::from_ec_der(&[&[4], &x[..], &y[..]].concat());
            let (x, y) = (text(&x), text(&y));
            (kind, key, format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#))
        }
        "OKP" => {
            if fields.text("crv")? != "Ed25519" {
                return Err(JwkError::OtherUse);
            }
            let x = fields.exactly("x", 32)?;
            let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(&x));
            (Kind::Ed25519, DecodingKey::from_ed_der(&x), members)
        }
        "RSA" => {
            let (n, e) = (fields.bytes("n")?, fields.bytes("e")?);
            let has_leading_zero = |bytes: &[u8]| bytes.first().is_none_or(|first| *first == 0);
            if has_leading_zero(&n)
                || has_leading_zero(&e)
                || n.len() > LONGEST_MODULUS
                || e.len() > 8
            {
                return Err(JwkError::Malformed);
            }
            if n.len() < SHORTEST_MODULUS {
                return Err(JwkError::Weak);
            }
            let members = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(&e), text(&n));
            (Kind::Rsa, DecodingKey::from_rsa_raw_components(&n, &e), members)
        }
        _ => return Err(JwkError::OtherUse),
    };
    Ok((kind, key, text(&Sha256::digest(members))))
}

/// The keys of somebody (RFC 7517, section 5).
#[derive(Clone)]
pub(crate) struct KeySet(Vec<PublicKey>);

/// Why a document is not somebody's keys.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum KeySetError {
    #[error("it is not an object with a list of keys")]
    NotASet,
    #[error("it has more than {MOST_KEYS} keys")]
    TooMany,
    #[error("a key in it has a private part")]
    Private,
    #[error("no key in it verifies signatures that are taken here")]
    NoUsableKey,
}

impl KeySet {
    /// Reads a JWK set. Keys for something else are left out; private keys are in nobody's public
    /// set, and whoever has them in it should hear of it.
    pub(crate) fn parse(value: &Value) -> Result<Self, KeySetError> {
        let keys = value.get("keys").and_then(Value::as_array).ok_or(KeySetError::NotASet)?;
        if keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        let mut usable = Vec::new();
        for key in keys {
            match PublicKey::parse(key) {
                Ok(key) => usable.push(key),
                Err(JwkError::Private) => return Err(KeySetError::Private),
                Err(JwkError::Malformed | JwkError::OtherUse | JwkError::Weak) => {}
            }
        }
        if usable.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(Self(usable)) }
    }

    /// Whether something that has this header can have been signed with one of them.
    pub(crate) fn has_one_for(&self, jws: &Jws<'_>) -> bool {
        self.fitting(jws).next().is_some()
    }

    /// Those with which something can have been signed that has this header.
    pub(super) fn fitting(&self, jws: &Jws<'_>) -> impl Iterator<Item = &PublicKey> {
        self.0.iter().filter(|key| key.fits(jws))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Signer;

    #[test]
    fn the_thumbprint_is_that_of_the_specification() {
        // RFC 7638, section 3.1; RFC 8037, appendix A.3.
        let rsa = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29",
        });
        let key = PublicKey::parse(&rsa).unwrap();
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let ed = json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        let key = PublicKey::parse(&ed).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn what_is_no_key_for_signatures_is_refused() {
        let good = Signer::es256().jwk();
        assert!(PublicKey::parse(&good).is_ok());
        for (member, value, error) in [
            ("kty", json!("oct"), JwkError::OtherUse),
            ("kty", json!("RSA"), JwkError::Malformed),
            ("kty", json!(1), JwkError::Malformed),
            ("crv", json!("P-384"), JwkError::Malformed),
            ("crv", json!("secp256k1"), JwkError::OtherUse),
            ("x", json!("AAAA"), JwkError::Malformed),
            ("x", json!("!"), JwkError::Malformed),
            ("y", Value::Null, JwkError::Malformed),
            ("d", json!("AAAA"), JwkError::Private),
            ("k", json!("AAAA"), JwkError::Private),
            ("use", json!("enc"), JwkError::OtherUse),
            ("key_ops", json!(["sign"]), JwkError::OtherUse),
            ("alg", json!("HS256"), JwkError::OtherUse),
            ("alg", json!("ES384"), JwkError::Malformed),
            ("kid", json!(1), JwkError::Malformed),
            ("kid", json!("x".repeat(257)), JwkError::Malformed),
        ] {
            let mut key = good.clone();
            key[member] = value.clone();
            assert_eq!(PublicKey::parse(&key).err(), Some(error), "{member}: {value}");
        }
        let modulus = URL_SAFE_NO_PAD.encode([255; 255]);
        let short = json!({"kty": "RSA", "n": modulus, "e": "AQAB"});
        assert_eq!(PublicKey::parse(&short).err(), Some(JwkError::Weak));
        assert_eq!(PublicKey::parse(&json!("x")).err(), Some(JwkError::Malformed));
    }

    #[test]
    fn a_set_is_what_is_usable_in_it() {
        let key = Signer::es256().jwk();
        let mut private = key.clone();
        private["d"] = json!("AAAA");
        let mut weak = key.clone();
        weak["use"] = json!("enc");
        for (set, error) in [
            (json!({"keys": [key, weak]}), None),
            (json!({"keys": [weak]}), Some(KeySetError::NoUsableKey)),
            (json!({"keys": []}), Some(KeySetError::NoUsableKey)),
            (json!({"keys": [key, private]}), Some(KeySetError::Private)),
            (json!({"keys": vec![&key; 65]}), Some(KeySetError::TooMany)),
            (json!({"keys": {}}), Some(KeySetError::NotASet)),
            (json!([key]), Some(KeySetError::NotASet)),
        ] {
            assert_eq!(KeySet::parse(&set).err(), error, "{set}");
        }
    }
}
