//! What can go wrong between a caller and what is kept.

use thiserror::Error;

/// Why a store operation gave no answer.
///
/// "Not there" is never one of these: look-ups say so with `None`. Callers tell them apart:
///
/// | error | whose fault | what to answer | whether the same may be asked again |
/// |---|---|---|---|
/// | [`Unavailable`](Self::Unavailable) | nobody's who asked | 503 with `Retry-After`, never 401 or 404 | yes: every operation may run twice |
/// | [`Corrupt`](Self::Corrupt) | the operator's | 500 | no, until the record is gone |
/// | [`LimitReached`](Self::LimitReached) | whoever has so many | 429, or 503 where it is the sum of all | when there is room |
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The store cannot be reached. Nothing is known about whether the operation happened.
    #[error("the store is not available: {reason}")]
    Unavailable {
        /// For the log; never for a client.
        reason: String,
    },
    /// A record is there but cannot be read: written by a newer version, or damaged.
    #[error("the record {key} cannot be read: {reason}")]
    Corrupt {
        /// The record's key.
        key: String,
        /// For the log; never for a client.
        reason: String,
    },
    /// A bound was reached, such as the number of sessions of one owner.
    #[error("the limit of {limit} {what} is reached")]
    LimitReached {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
}
