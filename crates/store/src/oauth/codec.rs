//! How a record is written: JSON with the number of its format.

use std::fmt::Display;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::StoreError;

/// The format this program writes and the only one it reads.
const FORMAT: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u8,
    record: T,
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u8,
}

/// Writes a record. `key` is for the error.
pub fn encode<T: Serialize>(key: impl Display, record: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(&Versioned { v: FORMAT, record })
        .map_err(|error| corrupt(key, format_args!("cannot be written: {error}")))
}

/// Reads a record. `key` is for the error, which is always [`StoreError::Corrupt`].
pub fn decode<T: DeserializeOwned>(key: impl Display, bytes: &[u8]) -> Result<T, StoreError> {
    // The number first: a newer format may have another shape, and the error should say so.
    let record = match serde_json::from_slice(bytes) {
        Ok(VersionOnly { v: FORMAT }) => serde_json::from_slice(bytes),
        Ok(VersionOnly { v }) => {
            return Err(corrupt(key, format_args!("format {v} is not {FORMAT}")));
        }
        Err(error) => Err(error),
    };
    record.map(|Versioned { record, .. }| record).map_err(|error| corrupt(key, error))
}

pub(super) fn corrupt(key: impl Display, reason: impl Display) -> StoreError {
    StoreError::Corrupt { key: key.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back() {
        let bytes = encode("k", &vec!["a", "b"]).unwrap();
        assert_eq!(decode::<Vec<String>>("k", &bytes).unwrap(), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_names_the_key() {
        for (bytes, says) in [
            (&b""[..], "EOF"),
            (b"\xff", "expected value"),
            (b"{}", "missing field `v`"),
            (b"{\"v\":2,\"payload\":[]}", "format 2 is not 1"),
            (b"{\"v\":1,\"record\":7}", "invalid type"),
        ] {
            let Err(StoreError::Corrupt { key, reason }) = decode::<Vec<String>>("k:1", bytes)
            else {
                panic!("{bytes:?} was read");
            };
            assert_eq!(key, "k:1");
            assert!(reason.contains(says), "{reason}");
        }
    }
}
