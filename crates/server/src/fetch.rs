//! What the features need in order to fetch what clients name.

use std::time::Duration;

use async_trait::async_trait;
use mcp_everything_features::{Fetch, FetchError};
use mcp_everything_fetch::{self as fetch, Fetcher, Limits};
use url::Url;

/// How long a fetch may take.
const TIME: Duration = Duration::from_secs(10);

/// Fetches from public addresses only.
pub(crate) struct PublicFetch(pub(crate) Fetcher);

#[async_trait]
impl Fetch for PublicFetch {
    async fn get(&self, url: &str, most: usize) -> Result<Vec<u8>, FetchError> {
        let url = Url::parse(url).map_err(|_| FetchError::NotAUrl)?;
        let fetched = self.0.get(&url, "*/*", Limits { bytes: most, time: TIME }).await;
        let fetched = fetched.inspect_err(|error| {
            // What it says of addresses is for the operator alone.
            tracing::info!(event = "fetch.refused", reason = error.reason(), %error,
                "what a client named was not fetched");
        });
        fetched.map(|fetched| fetched.body).map_err(|error| told(&error))
    }
}

fn told(error: &fetch::FetchError) -> FetchError {
    match error {
        fetch::FetchError::NotHttps | fetch::FetchError::UserInfo => FetchError::NotAUrl,
        fetch::FetchError::NotPublic { .. } => FetchError::NotAllowed,
        fetch::FetchError::Unresolved { .. } | fetch::FetchError::Unreachable { .. } => {
            FetchError::Unreachable
        }
        fetch::FetchError::Status(status) => FetchError::Status(status.as_u16()),
        fetch::FetchError::TooLong { limit } => FetchError::TooLong(*limit),
        fetch::FetchError::TooSlow { .. } => FetchError::TooSlow,
        fetch::FetchError::Broken { .. } => FetchError::Broken,
    }
}
