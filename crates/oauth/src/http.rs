//! Requests to servers that this one was told to trust: bounded in time and in size, and never
//! redirected.

use std::{error::Error, time::Duration};

use mcp_everything_store::spans::{self, Place};
use reqwest::{Client, Request, Response, redirect::Policy};
use serde_json::Value;
use thiserror::Error;
use tracing::Instrument as _;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an answer may take in all. Whoever waits for it is told within 3 s that it does not
/// come.
const ANSWER: Duration = Duration::from_millis(2500);
/// How long a connection is kept for the next request: less than servers keep one, since where both
/// ends close at once a request fails.
const IDLE: Duration = Duration::from_secs(15);
/// The longest answer, in bytes. The key sets of the large providers have some 20 KiB.
pub(crate) const LONGEST: usize = 256 * 1024;

/// An HTTP client.
#[derive(Clone)]
pub(crate) struct Http(Client);

/// There can be no requests to other servers.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no HTTP client: {0}")]
pub struct NoHttpClient(String);

/// Why there is no answer that can be used. The texts are for the log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum HttpError {
    #[error("{0}")]
    Unreachable(String),
    #[error("it answers {0}")]
    Status(u16),
    #[error("its answer is longer than {LONGEST} bytes")]
    TooLong,
    #[error("its answer is no JSON")]
    NotJson,
}

impl Http {
    pub(crate) fn new() -> Result<Self, NoHttpClient> {
        Client::builder()
            .user_agent(concat!("mcp-everything/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .pool_idle_timeout(IDLE)
            .build()
            .map(Self)
            .map_err(|error| NoHttpClient(reason(&error)))
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Value, HttpError> {
        self.json(self.0.get(url)).await
    }

    pub(crate) fn post(&self, url: &str) -> reqwest::RequestBuilder {
        self.0.post(url)
    }

    /// The JSON that a request is answered with. The request may be sent twice.
    pub(crate) async fn json(&self, request: reqwest::RequestBuilder) -> Result<Value, HttpError> {
        let request = request.header("accept", "application/json").build();
        let mut request = request.map_err(|error| unreachable(&error))?;
        let span = spans::request(request.method().as_str(), request.url().host_str());
        // Who is trusted with tokens is told which trace it serves.
        if let Some(Ok(place)) = Place::of(&span).map(|place| place.to_string().try_into()) {
            request.headers_mut().insert("traceparent", place);
        }
        let answer = self.send(request).instrument(span.clone()).await.map_err(|error| {
            spans::failed(&span, "unreachable");
            unreachable(&error)
        })?;
        span.record("http.response.status_code", i64::from(answer.status().as_u16()));
        if !answer.status().is_success() {
            return Err(HttpError::Status(answer.status().as_u16()));
        }
        serde_json::from_slice(&body(answer).await?).map_err(|_| HttpError::NotJson)
    }

    /// A connection that was idle may be closed just when it is used: then another is taken.
    async fn send(&self, request: Request) -> reqwest::Result<Response> {
        let again = request.try_clone();
        match (self.0.execute(request).await, again) {
            (Err(error), Some(again)) if !error.is_timeout() && !error.is_connect() => {
                self.0.execute(again).await
            }
            (answer, _) => answer,
        }
    }
}

/// What an answer carries, within the bound.
pub(crate) async fn body(mut answer: Response) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > LONGEST {
            return Err(HttpError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a request that failed means.
pub(crate) fn unreachable(error: &reqwest::Error) -> HttpError {
    HttpError::Unreachable(reason(error))
}

/// The innermost reason, as reqwest's own text says little.
fn reason(error: &reqwest::Error) -> String {
    let mut reason: &dyn Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}
