//! The fetch.

#[cfg(test)]
mod tests;

use std::{error::Error, fmt, sync::Arc, time::Duration};

use reqwest::{
    Client, ClientBuilder, Response, StatusCode,
    header::{self, HeaderMap},
    redirect::Policy,
};
use tokio::time::timeout;
use url::Url;

use crate::{
    BuildError, FetchError, Guard,
    error::innermost,
    resolve::{Lookup, System, Vetted},
};

/// What an answer must stay within.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The length of its body.
    pub bytes: usize,
    /// From the look-up of the name to the end of the body.
    pub time: Duration,
}

/// An answer with status 200.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Vec<u8>,
}

impl Fetched {
    /// The type in its `Content-Type`, in small letters and without parameters. Empty if there is
    /// none that can be read.
    pub fn media_type(&self) -> String {
        let value = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    }
}

/// Fetches what strangers name. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    guard: Guard,
    client: Client,
}

impl Fetcher {
    /// One that trusts the certificates that the machine trusts.
    pub fn new(guard: Guard) -> Result<Self, BuildError> {
        Self::with(guard, Client::builder())
    }

    /// One that is told more: the name it gives itself, or which certificates to trust. What keeps
    /// a fetch safe is set here, whatever the builder had been told.
    pub fn with(guard: Guard, builder: ClientBuilder) -> Result<Self, BuildError> {
        Self::build(guard, builder, Arc::new(System))
    }

    fn build(
        guard: Guard,
        builder: ClientBuilder,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, BuildError> {
        let client = builder
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .http1_only()
            // What is decompressed may be longer than what was sent.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            // Each fetch looks the name up anew.
            .pool_max_idle_per_host(0)
            .dns_resolver(Vetted { guard, lookup })
            .build()
            .map_err(|error| BuildError { reason: innermost(&error) })?;
        Ok(Self { guard, client })
    }

    /// Fetches a URL. `accept` is what the request says it takes, and no check of what comes.
    ///
    /// # Errors
    ///
    /// Every [`FetchError`]. Whether to try again says [`FetchError::is_passing`], what to search a
    /// log for [`FetchError::reason`]. None is for whoever named the URL to read: the text tells of
    /// addresses that only this server can see.
    pub async fn get(
        &self,
        url: &Url,
        accept: &str,
        limits: Limits,
    ) -> Result<Fetched, FetchError> {
        self.guard.check(url)?;
        let fetched = timeout(limits.time, self.fetch(url, accept, limits.bytes)).await;
        fetched.unwrap_or(Err(FetchError::TooSlow { limit: limits.time }))
    }

    async fn fetch(&self, url: &Url, accept: &str, limit: usize) -> Result<Fetched, FetchError> {
        let request = self.client.get(url.clone()).header(header::ACCEPT, accept);
        let mut response = request.send().await.map_err(|error| not_sent(&error))?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let body = body(&mut response, limit).await?;
        Ok(Fetched { headers: std::mem::take(response.headers_mut()), body })
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("guard", &self.guard).finish_non_exhaustive()
    }
}

async fn body(response: &mut Response, limit: usize) -> Result<Vec<u8>, FetchError> {
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(FetchError::TooLong { limit });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLong { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn not_sent(error: &reqwest::Error) -> FetchError {
    // What the resolver refused comes back as the cause of what the client says.
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<FetchError>() {
            return refused.clone();
        }
        cause = error.source();
    }
    if error.is_connect() {
        FetchError::Unreachable { reason: innermost(error) }
    } else {
        broken(error)
    }
}

fn broken(error: &reqwest::Error) -> FetchError {
    FetchError::Broken { reason: innermost(error) }
}
