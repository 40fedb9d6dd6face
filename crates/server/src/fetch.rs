//! What the features need in order to fetch what clients name.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use mcp_everything_features::{Fetch, FetchError};
use mcp_everything_fetch::{self as fetch, Fetcher, Limits};
use mcp_everything_store::spans;
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use url::Url;

/// How long a fetch may take.
const TIME: Duration = Duration::from_secs(10);

/// How many fetches an instance makes at a time. Users name what is fetched.
const MOST_AT_A_TIME: usize = 32;

/// Fetches from public addresses only.
pub(crate) struct PublicFetch {
    fetcher: Fetcher,
    places: Semaphore,
}

impl PublicFetch {
    pub(crate) fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, places: Semaphore::new(MOST_AT_A_TIME) }
    }
}

#[async_trait]
impl Fetch for PublicFetch {
    async fn get(&self, url: &str, most: usize) -> Result<Vec<u8>, FetchError> {
        let url = Url::parse(url).map_err(|_| FetchError::NotAUrl)?;
        let _place = self.places.try_acquire().map_err(|_| FetchError::Busy)?;
        let span = spans::request("GET", url.host_str());
        let limits = Limits { bytes: most, time: TIME };
        let fetched = self.fetcher.get(&url, "*/*", limits).instrument(span.clone()).await;
        let fetched = fetched.inspect_err(|error| {
            spans::failed(&span, error.reason());
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
        // Whoever writes an address knows it. A name that leads somewhere private is told like one
        // that leads nowhere.
        fetch::FetchError::NotPublic { host, .. } if host.parse::<IpAddr>().is_ok() => {
            FetchError::NotAllowed
        }
        fetch::FetchError::NotPublic { .. }
        | fetch::FetchError::Unresolved { .. }
        | fetch::FetchError::Unreachable { .. } => FetchError::Unreachable,
        fetch::FetchError::Status(status) => FetchError::Status(status.as_u16()),
        fetch::FetchError::TooLong { limit } => FetchError::TooLong(*limit),
        fetch::FetchError::TooSlow { .. } => FetchError::TooSlow,
        fetch::FetchError::Broken { .. } => FetchError::Broken,
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_fetch::Guard;

    use super::*;

    #[tokio::test]
    async fn what_is_fetched_at_a_time_has_a_bound() {
        let fetch = PublicFetch::new(Fetcher::new(Guard::public()).unwrap());
        let places = fetch.places.acquire_many(32).await.unwrap();
        let asked = async || fetch.get("https://10.0.0.7/", 1).await;
        assert_eq!(asked().await, Err(FetchError::Busy));
        drop(places);
        assert_eq!(asked().await, Err(FetchError::NotAllowed));
    }

    #[test]
    fn the_name_of_a_private_host_is_told_like_one_that_leads_nowhere() {
        let not_public = |host: &str| fetch::FetchError::NotPublic {
            host: host.into(),
            address: [10, 0, 0, 7].into(),
            what: "private",
        };
        let nowhere = fetch::FetchError::Unresolved { host: "ci.internal".into() };
        assert_eq!(told(&not_public("ci.internal")), told(&nowhere));
        assert_eq!(told(&not_public("10.0.0.7")), FetchError::NotAllowed);
        assert_eq!(told(&not_public("fd00::7")), FetchError::NotAllowed);
    }
}
