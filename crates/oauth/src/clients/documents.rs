//! Fetches what clients say of themselves, and their keys.

use std::{fmt, time::Duration};

use mcp_everything_fetch::{Fetcher, Limits};
use mcp_everything_store::{
    oauth::{Document, DocumentKind},
    spans,
};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use url::Url;

use super::{DocumentError, LookupError, flights::Flights, freshness};
use crate::{AuthorizationServer, events};

/// Of both kinds together, by one instance. Strangers name what is fetched.
const MOST_AT_A_TIME: usize = 100;
const PATIENCE: Duration = Duration::from_secs(5);

/// What the draft recommends for a document (section 8.7); a key set is longer.
const fn longest(kind: DocumentKind) -> usize {
    match kind {
        DocumentKind::Client => 5 * 1024,
        DocumentKind::Jwks => 32 * 1024,
    }
}

/// Fetches the documents that clients are described in, and those that have their keys.
pub struct ClientDocuments {
    fetcher: Fetcher,
    flights: Flights,
    places: Semaphore,
}

impl ClientDocuments {
    /// Takes what it fetches with. [`Guard::public_or_loopback`] is for a server that is itself on
    /// loopback (draft-ietf-oauth-client-id-metadata-document, section 8.6).
    ///
    /// [`Guard::public_or_loopback`]: mcp_everything_fetch::Guard::public_or_loopback
    pub fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, flights: Flights::default(), places: Semaphore::new(MOST_AT_A_TIME) }
    }

    /// The text of a document, and how long it is good.
    async fn fetch(
        &self,
        kind: DocumentKind,
        url: &Url,
    ) -> Result<(String, Duration), DocumentError> {
        let _place = self.places.try_acquire().map_err(|_| DocumentError::Busy)?;
        let limits = Limits { bytes: longest(kind), time: PATIENCE };
        let span = spans::request("GET", url.host_str());
        let fetched = self.fetcher.get(url, "application/json", limits).instrument(span.clone());
        let fetched = fetched.await.inspect_err(|error| spans::failed(&span, error.reason()))?;
        if !is_json(&fetched.media_type()) {
            return Err(DocumentError::NotJson);
        }
        let life = freshness::life(&fetched.headers);
        let text = String::from_utf8(fetched.body).map_err(|_| DocumentError::NotAnObject)?;
        Ok((text, life))
    }
}

impl fmt::Debug for ClientDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientDocuments").field("fetcher", &self.fetcher).finish_non_exhaustive()
    }
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json"
        || media_type
            .strip_prefix("application/")
            .is_some_and(|rest| rest.strip_suffix("+json").is_some_and(|name| !name.is_empty()))
}

impl AuthorizationServer {
    /// A document that `suits`: the one that is kept, or else one that is fetched and, if it is
    /// good, kept. Errors are not kept, nor what is not good (section 5.2).
    pub(super) async fn document(
        &self,
        kind: DocumentKind,
        url: &Url,
        suits: impl Fn(&Document) -> bool,
        judge: impl Fn(&Document) -> Result<(), DocumentError>,
    ) -> Result<Document, LookupError> {
        let found = async {
            let kept = self.store.document(kind, url.as_str()).await?;
            if let Some(kept) = kept.filter(&suits) {
                return Ok(kept);
            }
            let (text, life) = self.documents.fetch(kind, url).await?;
            let document = Document { text, fetched_at: self.clock.now() };
            judge(&document)?;
            self.store.keep_document(kind, url.as_str(), &document, life).await?;
            events::document_fetched(url.as_str(), kind, life);
            Ok(document)
        };
        self.documents.flights.join(kind, url.as_str(), found).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_several_names() {
        for name in
            ["application/json", "application/jwk-set+json", "application/oauth.client+json"]
        {
            assert!(is_json(name), "{name}");
        }
        for name in ["", "text/html", "text/json", "application/+json", "application/jsonp", "json"]
        {
            assert!(!is_json(name), "{name}");
        }
    }
}
