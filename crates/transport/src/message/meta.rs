//! What a request says in `_meta` of how it is to be served (2026-07-28, `_meta`).

use rmcp::model::{ClientCapabilities, ProtocolVersion, RequestMetaObject};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Envelope;

/// The fields that revisions without `initialize` want in each request, as they came.
#[derive(Default, Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, rename = "_meta")]
    meta: Meta<'a>,
}

impl<'a> Meta<'a> {
    pub(crate) fn of(envelope: &Envelope<'a>) -> Self {
        let params = envelope.params.map(|params| serde_json::from_str::<Params<'_>>(params.get()));
        params.and_then(Result::ok).unwrap_or_default().meta
    }

    /// Whether it names a version, whatever that is.
    pub(super) fn names_version(&self) -> bool {
        self.version.is_some()
    }

    /// Whether it has both fields, whatever is in them.
    pub(super) fn is_complete(&self) -> bool {
        self.version.is_some() && self.capabilities.is_some()
    }

    pub(crate) fn version(&self) -> Option<ProtocolVersion> {
        serde_json::from_str(self.version?.get()).ok()
    }

    /// The names of the fields that are not there, or cannot be read.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let capabilities = self.capabilities.map(RawValue::get);
        let capabilities = capabilities.map(serde_json::from_str::<ClientCapabilities>);
        let there = [self.version().is_some(), matches!(capabilities, Some(Ok(_)))];
        let names = RequestMetaObject::DRAFT_REQUIRED_KEYS.into_iter().zip(there);
        names.filter_map(|(name, is_there)| (!is_there).then_some(name)).collect()
    }
}
