//! What a client said when it began its session.

use std::sync::Arc;

use rmcp::model::Extensions;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Finds the parameters of a client's `initialize`, as JSON with what rmcp has no types for, in
/// what the embedding server left in a request's extensions.
pub type DeclaredHook = Arc<dyn Fn(&Extensions) -> Option<Arc<str>> + Send + Sync>;

/// One of the capabilities in these parameters, if the client declared it, and what it declared can
/// be read.
pub(crate) fn capability<T: DeserializeOwned>(initialize: &str, name: &str) -> Option<T> {
    let params: Value = serde_json::from_str(initialize).ok()?;
    serde_json::from_value(params.get("capabilities")?.get(name)?.clone()).ok()
}
