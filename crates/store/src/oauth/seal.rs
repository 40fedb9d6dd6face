//! Records that can be read only with the secret that names them.

use std::{fmt, marker::PhantomData, sync::Arc};

use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce, aead::Aead as _};
use hmac::{Hmac, Mac as _};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{SecretHash, codec};
use crate::{Random, StoreError};

const NONCE: usize = 24;

/// A record that is kept sealed.
pub trait SealedRecord: Serialize + DeserializeOwned {
    /// Its kind, which is the beginning of its key. A body sealed as one kind does not open as
    /// another.
    const KIND: &'static str;
}

/// A record under XChaCha20-Poly1305, whose key follows from the secret that names the record.
///
/// Whoever reads the store learns neither the secret (the name is its hash) nor the record; whoever
/// writes to it cannot change a record unnoticed. The bytes are the nonce and the ciphertext.
pub struct Sealed<T> {
    bytes: Arc<[u8]>,
    record: PhantomData<fn() -> T>,
}

impl<T: SealedRecord> Sealed<T> {
    /// Seals a record under the secret that will name it.
    pub fn seal(record: &T, secret: &str, random: &dyn Random) -> Result<Self, StoreError> {
        let plain = Zeroizing::new(codec::encode(Key::<T>::of(secret), record)?);
        let mut nonce = [0; NONCE];
        random.fill(&mut nonce);
        let ciphertext = cipher::<T>(secret)
            .encrypt(&XNonce::from(nonce), plain.as_slice())
            .map_err(|_| broken::<T>(secret, "too long to be sealed"))?;
        Ok(Self::from_bytes([&nonce, ciphertext.as_slice()].concat()))
    }

    /// Opens it with that secret. The error is always [`StoreError::Corrupt`].
    pub fn open(&self, secret: &str) -> Result<T, StoreError> {
        let (nonce, ciphertext) = self
            .bytes
            .split_first_chunk::<NONCE>()
            .ok_or_else(|| broken::<T>(secret, "shorter than a nonce"))?;
        let plain = cipher::<T>(secret)
            .decrypt(&XNonce::from(*nonce), ciphertext)
            .map(Zeroizing::new)
            .map_err(|_| broken::<T>(secret, "the seal is broken"))?;
        codec::decode(Key::<T>::of(secret), &plain)
    }
}

impl<T> Sealed<T> {
    /// From the bytes that a store kept.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), record: PhantomData }
    }

    /// The bytes to keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self { bytes: Arc::clone(&self.bytes), record: PhantomData }
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.bytes.len())
    }
}

/// The key is HMAC-SHA256 of a label and the kind under the secret, so that the secret's hash, which
/// is the record's name, says nothing about it.
fn cipher<T: SealedRecord>(secret: &str) -> XChaCha20Poly1305 {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        unreachable!("HMAC takes keys of every length")
    };
    mac.update(b"mcp-everything/seal/1/");
    mac.update(T::KIND.as_bytes());
    let key = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
    XChaCha20Poly1305::new((&*key).into())
}

fn broken<T: SealedRecord>(secret: &str, why: &str) -> StoreError {
    codec::corrupt(Key::<T>::of(secret), why)
}

/// The key of a record, made only for an error.
struct Key<'a, T> {
    secret: &'a str,
    record: PhantomData<fn() -> T>,
}

impl<'a, T> Key<'a, T> {
    fn of(secret: &'a str) -> Self {
        Self { secret, record: PhantomData }
    }
}

impl<T: SealedRecord> fmt::Display for Key<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", T::KIND, SecretHash::of(self.secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TestRandom, Timestamp, oauth::*};

    const SECRET: &str = "mca_a-secret-of-many-characters";

    fn token() -> IssuedToken {
        IssuedToken {
            user: "alice".into(),
            client: "c1".into(),
            scope: "mcp:read".into(),
            audience: "https://example.com/mcp".into(),
            issued_at: Timestamp::from_millis(1),
            expires_at: Timestamp::from_millis(2),
            confirmation: None,
        }
    }

    fn sealed() -> Sealed<IssuedToken> {
        Sealed::seal(&token(), SECRET, &TestRandom::seeded(1)).unwrap()
    }

    fn reason<T: SealedRecord>(sealed: &Sealed<T>, secret: &str) -> String {
        match sealed.open(secret) {
            Err(StoreError::Corrupt { key, reason }) => {
                assert_eq!(key, format!("{}:{}", T::KIND, SecretHash::of(secret)));
                reason
            }
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it opened"),
        }
    }

    #[test]
    fn only_its_secret_opens_it() {
        assert_eq!(sealed().open(SECRET).unwrap(), token());
        assert_eq!(reason(&sealed(), "another"), "the seal is broken");
    }

    #[test]
    fn it_shows_nothing() {
        let bytes = sealed().as_bytes().to_vec();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("alice") && !text.contains("example.com"), "{text}");
        assert_eq!(format!("{:?}", sealed()), format!("Sealed({} bytes)", bytes.len()));
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let good = sealed().as_bytes().to_vec();
        for position in 0..good.len() {
            let mut bytes = good.clone();
            bytes[position] ^= 1;
            let changed = Sealed::<IssuedToken>::from_bytes(bytes);
            assert_eq!(reason(&changed, SECRET), "the seal is broken", "byte {position}");
        }
        let cut = Sealed::<IssuedToken>::from_bytes(&good[..10]);
        assert_eq!(reason(&cut, SECRET), "shorter than a nonce");
    }

    #[test]
    fn a_body_is_not_taken_for_another_kind() {
        let as_family = Sealed::<RefreshFamily>::from_bytes(sealed().as_bytes());
        assert_eq!(reason(&as_family, SECRET), "the seal is broken");
    }

    #[test]
    fn the_same_record_is_sealed_differently_each_time() {
        let random = TestRandom::seeded(1);
        let one = Sealed::seal(&token(), SECRET, &random).unwrap();
        let two = Sealed::seal(&token(), SECRET, &random).unwrap();
        assert_ne!(one.as_bytes(), two.as_bytes());
    }
}
