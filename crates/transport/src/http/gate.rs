//! Whether a caller may use a method at all.

use std::{fmt, sync::Arc};

use axum::response::Response;
use http::request::Parts;

type Check = dyn Fn(&Parts, &str) -> Result<(), Box<Response>> + Send + Sync;

/// Asked of each JSON-RPC request, those of a batch too, before its handler is made: a method
/// that the caller's token has no scope for is refused in HTTP, with the response that the check
/// gives ("Scope Challenge Handling").
#[derive(Clone)]
pub struct Gate(Arc<Check>);

impl Gate {
    /// A gate that lets through what `check` finds nothing against; it is shown the head of the
    /// HTTP request and the method.
    pub fn new<F>(check: F) -> Self
    where
        F: Fn(&Parts, &str) -> Result<(), Box<Response>> + Send + Sync + 'static,
    {
        Self(Arc::new(check))
    }

    pub(crate) fn pass(&self, parts: &Parts, method: &str) -> Result<(), super::Refusal> {
        (self.0)(parts, method).map_err(super::Refusal::Gate)
    }
}

impl Default for Gate {
    /// Lets everything through.
    fn default() -> Self {
        Self::new(|_, _| Ok(()))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
