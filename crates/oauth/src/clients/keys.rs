//! The public keys of a client.

use std::time::Duration;

use mcp_everything_fetch::FetchError;
use mcp_everything_store::oauth::{ClientKeys, Document, DocumentKind};
use url::Url;

use super::{DocumentError, LookupError};
use crate::{AuthorizationServer, jose::KeySet};

/// A set that was read just now is not read again for a key that is not in it: strangers can name
/// as many as they like.
const JUST_NOW: Duration = Duration::from_secs(60);

impl AuthorizationServer {
    /// The keys of a client. Those at a URL are read anew when none is the one that is `sought`: a
    /// client that changes its keys signs with the new one at once.
    pub(crate) async fn client_keys(
        &self,
        keys: &ClientKeys,
        sought: impl Fn(&KeySet) -> bool,
    ) -> Result<KeySet, LookupError> {
        let url = match keys {
            ClientKeys::Jwks(set) => return Ok(KeySet::parse(set).map_err(DocumentError::from)?),
            ClientKeys::JwksUri(url) => url,
        };
        let url = Url::parse(url).map_err(|_| DocumentError::from(FetchError::NotHttps))?;
        let now = self.clock.now();
        let suits = |kept: &Document| {
            read(kept).is_ok_and(|set| sought(&set) || now.since(kept.fetched_at) < JUST_NOW)
        };
        let judge = |fetched: &Document| read(fetched).map(drop);
        Ok(read(&self.document(DocumentKind::Jwks, &url, suits, judge).await?)?)
    }
}

fn read(document: &Document) -> Result<KeySet, DocumentError> {
    let value = serde_json::from_str(&document.text).map_err(|_| DocumentError::NotAnObject)?;
    Ok(KeySet::parse(&value)?)
}
