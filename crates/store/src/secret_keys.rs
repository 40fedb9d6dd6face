//! The server's own keys.

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Random, StoreError};

/// The shortest key text that is taken, in bytes.
const SHORTEST: usize = 32;
/// The most keys a ring may hold: each is tried when something is verified.
const MOST: usize = 8;

/// A ring of keys: the first signs, and what any of them signed is still good. To change keys, put
/// a new one in front, and drop the old one when nothing it signed lives any more.
#[derive(Clone)]
pub struct SecretKeys(Vec<Zeroizing<String>>);

impl SecretKeys {
    /// A ring of one new key.
    pub fn generate(random: &dyn Random) -> Self {
        Self(vec![Zeroizing::new(random.token::<32>())])
    }

    /// Reads keys separated by commas, each of at least 32 characters without spaces.
    pub fn parse(text: &str) -> Result<Self, SecretKeysError> {
        let keys: Vec<_> =
            text.split(',').map(str::trim).map(|key| Zeroizing::new(key.to_owned())).collect();
        if keys.len() > MOST {
            return Err(SecretKeysError::TooMany);
        }
        for (index, key) in keys.iter().enumerate() {
            let number = index + 1;
            if key.len() < SHORTEST {
                return Err(SecretKeysError::TooShort { number });
            }
            if key.chars().any(|c| c.is_whitespace() || c.is_control()) {
                return Err(SecretKeysError::HasSpace { number });
            }
        }
        Ok(Self(keys))
    }

    /// The text that [`parse`](Self::parse) reads, for a store to keep.
    pub fn expose(&self) -> Zeroizing<String> {
        let texts: Vec<&str> = self.0.iter().map(|key| key.as_str()).collect();
        Zeroizing::new(texts.join(","))
    }

    /// A key for one purpose from each key of the ring, the signing one first. Keys for different
    /// purposes say nothing about each other.
    pub fn derive(&self, purpose: &str) -> impl Iterator<Item = Zeroizing<[u8; 32]>> {
        self.0.iter().map(move |key| hmac(key.as_bytes(), &[b"purpose", purpose.as_bytes()]))
    }

    /// HMAC-SHA256 over the parts. Which part a byte belongs to counts.
    pub fn sign(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        // `parse` and `generate` leave no ring empty; an empty one signs what nothing verifies.
        self.derive(purpose).next().map_or([0; 32], |key| *hmac(&*key, parts))
    }

    /// Whether any key of the ring signed these parts. Takes the same time wherever tags differ.
    pub fn verify(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.derive(purpose)
            .map(|key| hmac(&*key, parts).as_slice().ct_eq(tag))
            .fold(Choice::from(0), |any, this| any | this)
            .into()
    }
}

/// Why a text is not a ring of keys. Says nothing of the keys themselves.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SecretKeysError {
    /// A key is easy to guess.
    #[error("key number {number} has fewer than {SHORTEST} characters")]
    TooShort {
        /// Its place in the list, from 1.
        number: usize,
    },
    /// A key has a space in it, which is more often a mistake than meant.
    #[error("key number {number} has a space or control character in it")]
    HasSpace {
        /// Its place in the list, from 1.
        number: usize,
    },
    /// Old keys were never dropped.
    #[error("there are more than {MOST} keys")]
    TooMany,
}

/// Keeps the ring of a deployment whose operator sets none.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The ring that is kept. `fresh` becomes it if there is none, so that instances that start
    /// together end up with the same.
    async fn secret_keys(&self, fresh: &SecretKeys) -> Result<SecretKeys, StoreError>;
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of every length")
    };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestRandom;

    const OLD: &str = "an-old-key-of-more-than-32-characters";
    const NEW: &str = "a-new-key-of-more-than-32-characters!";

    fn ring(text: &str) -> SecretKeys {
        SecretKeys::parse(text).unwrap()
    }

    #[test]
    fn the_first_signs_and_every_one_verifies() {
        let tag = ring(OLD).sign("test", &[b"a"]);
        let both = ring(&format!("{NEW}, {OLD}"));
        assert!(both.verify("test", &[b"a"], &tag));
        assert_eq!(both.sign("test", &[b"a"]), ring(NEW).sign("test", &[b"a"]));
        assert!(!ring(NEW).verify("test", &[b"a"], &tag), "the old key was dropped");
    }

    #[test]
    fn a_tag_is_good_for_one_message_and_purpose() {
        let keys = SecretKeys::generate(&TestRandom::seeded(1));
        let tag = keys.sign("test", &[b"ab", b"c"]);
        assert!(keys.verify("test", &[b"ab", b"c"], &tag));
        assert!(!keys.verify("test", &[b"a", b"bc"], &tag), "parts are kept apart");
        assert!(!keys.verify("other", &[b"ab", b"c"], &tag));
        assert!(!keys.verify("test", &[b"ab", b"c"], &tag[..31]));
        assert!(!keys.verify("test", &[b"ab", b"c"], b""));
    }

    #[test]
    fn it_survives_its_text() {
        let keys = ring(&format!("{NEW},{OLD}"));
        assert_eq!(ring(&keys.expose()).sign("test", &[]), keys.sign("test", &[]));
        let generated = SecretKeys::generate(&TestRandom::seeded(1));
        assert!(SecretKeys::parse(&generated.expose()).is_ok());
    }

    #[test]
    fn weak_rings_are_refused() {
        let refused = |text: &str| SecretKeys::parse(text).err();
        assert_eq!(refused(""), Some(SecretKeysError::TooShort { number: 1 }));
        let trailing = format!("{NEW},");
        assert_eq!(refused(&trailing), Some(SecretKeysError::TooShort { number: 2 }));
        let spaced = format!("{NEW} {OLD}");
        assert_eq!(refused(&spaced), Some(SecretKeysError::HasSpace { number: 1 }));
        assert_eq!(refused(&[NEW; 9].join(",")), Some(SecretKeysError::TooMany));
    }
}
