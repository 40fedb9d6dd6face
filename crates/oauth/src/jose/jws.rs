//! Compact JWS (RFC 7515, section 7.1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

use super::{KeySet, PublicKey, SigningAlgorithm};

/// In bytes. What is longer holds more than who, whom and when.
const LONGEST: usize = 8 * 1024;

/// Something signed that was read and not verified yet.
pub(crate) struct Jws<'a> {
    header: Header,
    algorithm: SigningAlgorithm,
    /// Header and payload, as they were signed.
    signed: &'a str,
    payload: Vec<u8>,
    signature: &'a str,
}

/// What is read of a header. Where keys are said to be (`jku`, `x5u`) is not: nobody is asked for a
/// key because a stranger says so.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    jwk: Option<Value>,
    crit: Option<Value>,
}

/// Why something signed is not taken.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum JwsError {
    #[error("it is longer than 8 KiB")]
    TooLong,
    #[error("it is not a compact JWS")]
    Malformed,
    #[error("its header cannot be read")]
    Header,
    #[error("its alg is not taken here")]
    Algorithm,
    #[error("its header has something critical that is not known here")]
    Critical,
    #[error("no key that is known can have signed it")]
    NoKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("its claims cannot be read")]
    Claims,
}

impl<'a> Jws<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Self, JwsError> {
        if text.len() > LONGEST {
            return Err(JwsError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Malformed);
        let (header, payload) = (decode(header)?, decode(payload)?);
        let header: Header = serde_json::from_slice(&header).map_err(|_| JwsError::Header)?;
        let algorithm = SigningAlgorithm::parse(&header.alg).ok_or(JwsError::Algorithm)?;
        if header.crit.is_some() {
            return Err(JwsError::Critical);
        }
        Ok(Self { header, algorithm, signed, payload, signature })
    }

    /// Whether its `typ` is this media type, with or without `application/` (RFC 7515, section
    /// 4.1.9).
    pub(crate) fn is_typed(&self, expected: &str) -> bool {
        let typ = self.header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ) == expected
    }

    /// Whether it says of what type it is.
    pub(crate) const fn has_type(&self) -> bool {
        self.header.typ.is_some()
    }

    pub(crate) const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The key it says it was signed with. Means something only where it is compared with another.
    pub(crate) const fn jwk(&self) -> Option<&Value> {
        self.header.jwk.as_ref()
    }

    /// What it says, which anybody can have written: good to find the key with, and no more.
    pub(crate) fn unverified<C: DeserializeOwned>(&self) -> Result<C, JwsError> {
        serde_json::from_slice(&self.payload).map_err(|_| JwsError::Claims)
    }

    /// What it says, if this key signed it.
    pub(crate) fn verify<C: DeserializeOwned>(&self, key: &PublicKey) -> Result<C, JwsError> {
        if !key.fits(self) {
            return Err(JwsError::NoKey);
        }
        if self.is_signed_with(key) { self.unverified() } else { Err(JwsError::Signature) }
    }

    /// What it says, if one of these keys signed it. [`JwsError::NoKey`] may mean that there are
    /// newer ones.
    pub(crate) fn verify_with<C: DeserializeOwned>(&self, keys: &KeySet) -> Result<C, JwsError> {
        let mut fitting = keys.fitting(self).peekable();
        if fitting.peek().is_none() {
            return Err(JwsError::NoKey);
        }
        if fitting.any(|key| self.is_signed_with(key)) {
            self.unverified()
        } else {
            Err(JwsError::Signature)
        }
    }

    fn is_signed_with(&self, key: &PublicKey) -> bool {
        let (signed, algorithm) = (self.signed.as_bytes(), self.algorithm.verified_as());
        jsonwebtoken::crypto::verify(self.signature, signed, key.key(), algorithm)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::testing::Signer;

    fn keys(signers: &[&Signer]) -> KeySet {
        let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
        KeySet::parse(&json!({"keys": keys})).unwrap()
    }

    #[test]
    fn each_algorithm_verifies_what_was_signed_with_it() {
        for signer in Signer::one_of_each() {
            let text = signer.sign(&json!({"typ": "application/X+jwt"}), &json!({"a": 1}));
            let jws = Jws::read(&text).unwrap();
            assert!(jws.is_typed("x+jwt") && !jws.is_typed("jwt"));
            let key = PublicKey::parse(&signer.jwk()).unwrap();
            assert_eq!(jws.verify::<Value>(&key), Ok(json!({"a": 1})), "{:?}", jws.algorithm());
            assert_eq!(jws.verify_with::<Value>(&keys(&[&signer])), Ok(json!({"a": 1})));
        }
    }

    #[test]
    fn a_key_is_found_by_its_name_or_tried() {
        let [one, two, other] = [Signer::es256(), Signer::es256(), Signer::es256()];
        let set = keys(&[&one, &two]);
        let verify = |signer: &Signer, header| {
            let text = signer.sign(&header, &json!({}));
            Jws::read(&text).unwrap().verify_with::<Value>(&set)
        };
        assert_eq!(verify(&two, json!({})), Ok(json!({})));
        assert_eq!(verify(&two, json!({"kid": null})), Ok(json!({})));
        assert_eq!(verify(&other, json!({"kid": null})), Err(JwsError::Signature));
        assert_eq!(verify(&other, json!({})), Err(JwsError::NoKey), "a name that is not known");
        let named = json!({"kid": one.jwk()["kid"]});
        assert_eq!(verify(&two, named), Err(JwsError::Signature), "the name of another");
        let rsa = Signer::rs256();
        assert_eq!(verify(&rsa, json!({"kid": null})), Err(JwsError::NoKey));
    }

    #[test]
    fn what_is_not_signed_with_a_taken_algorithm_is_refused() {
        let signer = Signer::es256();
        for (header, error) in [
            (json!({"alg": "none"}), JwsError::Algorithm),
            (json!({"alg": "None"}), JwsError::Algorithm),
            (json!({"alg": "HS256"}), JwsError::Algorithm),
            (json!({"alg": "RS1"}), JwsError::Algorithm),
            (json!({"alg": null}), JwsError::Header),
            (json!({"alg": 1}), JwsError::Header),
            (json!({"typ": 1}), JwsError::Header),
            (json!({"crit": ["b64"], "b64": false}), JwsError::Critical),
        ] {
            let text = signer.sign(&header, &json!({}));
            assert_eq!(Jws::read(&text).err(), Some(error), "{header}");
        }
    }

    #[test]
    fn another_header_payload_or_signature_is_wrong() {
        let signer = Signer::es256();
        let key = PublicKey::parse(&signer.jwk()).unwrap();
        let good = signer.sign(&json!({}), &json!({"a": 1}));
        let other = signer.sign(&json!({"typ": "x"}), &json!({"a": 2}));
        let part = |text: &str, index| text.split('.').nth(index).unwrap().to_owned();
        for index in 0..3 {
            let mut parts = [part(&good, 0), part(&good, 1), part(&good, 2)];
            parts[index] = part(&other, index);
            let mixed = parts.join(".");
            let verified = Jws::read(&mixed).unwrap().verify::<Value>(&key);
            assert_eq!(verified, Err(JwsError::Signature), "{index}");
        }
        for (bad, error) in [
            (String::new(), JwsError::Malformed),
            ("a.b".into(), JwsError::Malformed),
            (format!("{good}.x"), JwsError::Malformed),
            (good.replace('.', "=."), JwsError::Malformed),
            (format!("{good}{}", "A".repeat(8 * 1024)), JwsError::TooLong),
        ] {
            assert_eq!(Jws::read(&bad).err(), Some(error), "{bad}");
        }
        for unsigned in [good.trim_end_matches(&part(&good, 2)), &format!("{good}="), &good[..99]] {
            let verified = Jws::read(unsigned).map(|jws| jws.verify::<Value>(&key));
            assert!(!matches!(verified, Ok(Ok(_))), "{unsigned}");
        }
    }

    #[test]
    fn a_key_of_another_kind_is_never_tried() {
        let rsa = Signer::rs256();
        let key = PublicKey::parse(&Signer::es256().jwk()).unwrap();
        let text = rsa.sign(&json!({"kid": null}), &json!({}));
        assert_eq!(Jws::read(&text).unwrap().verify::<Value>(&key), Err(JwsError::NoKey));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[A-Za-z0-9_.=-]{0,200}") {
            if let Ok(jws) = Jws::read(&text) {
                let key = PublicKey::parse(&json!({
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                })).unwrap();
                prop_assert!(jws.verify::<Value>(&key).is_err());
            }
        }
    }
}
