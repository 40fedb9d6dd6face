//! What others sign: compact JWS (RFC 7515), the keys that verify it (RFC 7517) and the claims in it
//! (RFC 7519).
//!
//! Reading and verifying are apart, as the key often follows from what is said. Errors say what is
//! wrong and repeat nothing of what was sent.

mod algorithm;
mod claims;
mod jwk;
mod jws;

pub(crate) use algorithm::SigningAlgorithm;
pub(crate) use claims::{Audience, ClaimError, NumericDate, SKEW, Times};
pub(crate) use jwk::{KeySet, KeySetError, PublicKey};
pub(crate) use jws::{Jws, JwsError};
