//! Whatever goes wrong ends the measurement with a word.

/// The result of a step.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
