//! Why it is not known who a client is.

use std::net::IpAddr;

use mcp_everything_fetch::FetchError;
use mcp_everything_store::StoreError;
use thiserror::Error;

use super::client_url::ClientUrlError;
use crate::{client_metadata::MetadataError, jose::KeySetError};

/// Why a look-up gives no client.
#[derive(Clone, Debug, Error)]
pub(crate) enum LookupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// What is wrong with a client's document or with its keys. The text is for the log.
#[derive(Clone, Debug, Error)]
pub(crate) enum DocumentError {
    #[error("the client_id is not the URL of a document: {0}")]
    Url(#[from] ClientUrlError),
    #[error("documents of this host are not read here")]
    OtherHost,
    #[error("the document cannot be fetched: {0}")]
    Fetch(#[from] FetchError),
    #[error("too many documents are being fetched")]
    Busy,
    #[error("the document is not application/json")]
    NotJson,
    #[error("the document is not a JSON object")]
    NotAnObject,
    #[error("the document has another client_id than its URL")]
    OtherClientId,
    #[error("the document has no {0}")]
    Missing(&'static str),
    #[error("the document has {0}, and what everybody can read is no secret")]
    Secret(&'static str),
    #[error("the document cannot be used: {0}")]
    Metadata(#[from] MetadataError),
    #[error("the keys of the client cannot be used: {0}")]
    Keys(#[from] KeySetError),
}

/// What is told of everything that depends on how this server sees the host: which names lead where
/// in its network, is not for whoever names them.
const NOT_FETCHED: &str =
    "the document cannot be fetched: its host has no public address, or does not answer";

impl DocumentError {
    /// A word for it that stays the same.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::OtherHost => "other_host",
            Self::Fetch(error) => error.reason(),
            Self::Busy => "busy",
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::OtherClientId => "other_client_id",
            Self::Missing(_) => "member_missing",
            Self::Secret(_) => "secret",
            Self::Metadata(_) => "metadata",
            Self::Keys(_) => "keys",
        }
    }

    /// Whether the same may well succeed in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_passing() || is_private_name(error),
            Self::Busy => true,
            Self::Url(_)
            | Self::OtherHost
            | Self::NotJson
            | Self::NotAnObject
            | Self::OtherClientId
            | Self::Missing(_)
            | Self::Secret(_)
            | Self::Metadata(_)
            | Self::Keys(_) => false,
        }
    }

    /// What may be told.
    pub(crate) fn in_public(&self) -> String {
        match self {
            Self::Fetch(
                FetchError::Unresolved { .. }
                | FetchError::Unreachable { .. }
                | FetchError::TooSlow { .. }
                | FetchError::Broken { .. },
            ) => NOT_FETCHED.to_owned(),
            Self::Fetch(error) if is_private_name(error) => NOT_FETCHED.to_owned(),
            Self::Fetch(_)
            | Self::Url(_)
            | Self::OtherHost
            | Self::Busy
            | Self::NotJson
            | Self::NotAnObject
            | Self::OtherClientId
            | Self::Missing(_)
            | Self::Secret(_)
            | Self::Metadata(_)
            | Self::Keys(_) => self.to_string(),
        }
    }
}

/// A name that leads somewhere private is told like one that leads nowhere.
fn is_private_name(error: &FetchError) -> bool {
    matches!(error, FetchError::NotPublic { host, .. } if host.parse::<IpAddr>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_name_is_told_like_one_that_leads_nowhere() {
        let not_public = |host: &str| FetchError::NotPublic {
            host: host.into(),
            address: [10, 0, 0, 7].into(),
            what: "private",
        };
        let nowhere = DocumentError::Fetch(FetchError::Unresolved { host: "ci.internal".into() });
        let private = DocumentError::Fetch(not_public("ci.internal"));
        assert_eq!(private.in_public(), nowhere.in_public());
        assert_eq!(private.is_passing(), nowhere.is_passing());
        assert!(!private.in_public().contains("10.0.0.7"));
        assert_ne!(private.reason(), nowhere.reason(), "the log tells them apart");
        // Whoever writes the address knows it.
        let address = DocumentError::Fetch(not_public("10.0.0.7"));
        assert!(!address.is_passing() && address.in_public().contains("private"));
    }
}
