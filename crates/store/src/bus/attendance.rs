//! Sessions that are served for longer than a request.

use std::{any::Any, fmt};

/// A session is attended to for as long as this is kept.
#[must_use = "a session is attended to for as long as this is kept"]
pub struct Attendance {
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Attendance {
    /// One that ends when `guard` is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Some(Box::new(guard)) }
    }

    /// One that nobody can see.
    pub fn unseen() -> Self {
        Self { _guard: None }
    }
}

impl fmt::Debug for Attendance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attendance").finish_non_exhaustive()
    }
}
