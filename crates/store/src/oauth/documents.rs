//! What was fetched from URLs that clients named.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{StoreError, Timestamp};

/// Documents that were fetched and found good, so that not every instance fetches each anew.
///
/// A document may be lost at any time. A later `keep` takes the place of an earlier one, with its
/// own life. Past the limit, those that end first make room.
#[async_trait]
pub trait Documents: Send + Sync + 'static {
    /// Keeps what was found at a URL for `life`.
    async fn keep_document(
        &self,
        kind: DocumentKind,
        url: &str,
        document: &Document,
        life: Duration,
    ) -> Result<(), StoreError>;

    /// What was found at a URL, while it is fresh.
    async fn document(&self, kind: DocumentKind, url: &str)
    -> Result<Option<Document>, StoreError>;
}

/// What a document was found good as. One is not good as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// What a client says of itself (draft-ietf-oauth-client-id-metadata-document).
    Client,
    /// The keys of a client (RFC 7517, section 5).
    Jwks,
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Jwks => "jwks",
        })
    }
}

/// A document as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its text.
    pub text: String,
    /// When it was.
    pub fetched_at: Timestamp,
}
