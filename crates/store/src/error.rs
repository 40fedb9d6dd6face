//! What can go wrong between a caller and what is kept.

use thiserror::Error;

/// Why a store operation gave no answer.
///
/// "Not there" is never one of these: look-ups say so with `None`.
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
