//! Requests to a provider.

use std::{future::Future, pin::Pin, time::Duration};

use axum::http::{Request, Response, StatusCode};
use openidconnect::AsyncHttpClient;
use reqwest::{Client, redirect::Policy};
use thiserror::Error;

use super::UpstreamError;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// For the whole answer; the user waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// In bytes. The key sets of the large providers have some 20 KiB.
const LONGEST: usize = 256 * 1024;
/// GitHub answers nobody without one.
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Asks a provider, which an operator named. It follows no redirects: no specification has them
/// here, and whoever is redirected to would see secrets.
pub(super) struct Http(Client);

/// Why there is no answer.
#[derive(Debug, Error)]
pub(super) enum HttpError {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it answers {0}")]
    Busy(StatusCode),
    #[error("an answer of it has more than 256 KiB")]
    TooLong,
    #[error("it names a URL without https")]
    Insecure,
}

impl Http {
    /// For a provider of `https` URLs, which must then have no others.
    pub(super) fn new(https: bool) -> Self {
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .referer(false)
            .redirect(Policy::none())
            .https_only(https)
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            // A code is good once, so nothing is sent where it may get lost: on a connection that
            // the provider is just closing.
            .pool_max_idle_per_host(0);
        let client = builder.build();
        Self(client.unwrap_or_else(|error| panic!("there is no HTTP client: {error}")))
    }

    /// The answer to a request, whatever its status but those that say to try again later.
    pub(super) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let request = request.try_into().map_err(|error| HttpError::of(&error))?;
        let mut answer = self.0.execute(request).await.map_err(|error| HttpError::of(&error))?;
        let status = answer.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(HttpError::Busy(status));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| HttpError::of(&error))? {
            if body.len() + chunk.len() > LONGEST {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body);
        *response.status_mut() = status;
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        Ok(response)
    }
}

impl HttpError {
    fn of(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Insecure;
        }
        // The innermost says what happened; none of them says what was sent.
        let mut reason: &dyn std::error::Error = error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        let reason =
            if error.is_timeout() { "it takes too long".into() } else { reason.to_string() };
        Self::Unreachable(reason)
    }
}

impl From<&HttpError> for UpstreamError {
    fn from(error: &HttpError) -> Self {
        let reason = error.to_string();
        match error {
            HttpError::Unreachable(_) | HttpError::Busy(_) => Self::Unavailable { reason },
            HttpError::TooLong | HttpError::Insecure => Self::Faulty { reason },
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::provider::{Reply, TestProvider};

    async fn ask(provider: &TestProvider, https: bool) -> Result<Response<Vec<u8>>, HttpError> {
        let request = Request::get(provider.url("/page")).body(Vec::new()).unwrap();
        Http::new(https).send(request).await
    }

    #[tokio::test]
    async fn a_provider_of_https_urls_is_asked_at_no_other() {
        let provider = TestProvider::start().await;
        provider.on("/page", |_| Reply::json("{}"));
        assert!(ask(&provider, false).await.is_ok());
        assert!(matches!(ask(&provider, true).await, Err(HttpError::Insecure)));
        assert_eq!(provider.asked("/page").len(), 1);
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let provider = TestProvider::start().await;
        let elsewhere = provider.url("/elsewhere");
        provider.on("/page", move |_| Reply::redirect(&elsewhere));
        assert_eq!(ask(&provider, false).await.unwrap().status(), StatusCode::FOUND);
        assert!(provider.asked("/elsewhere").is_empty());
    }

    #[tokio::test]
    async fn an_answer_has_a_bound() {
        let provider = TestProvider::start().await;
        provider.on("/page", |_| Reply::json(&"x".repeat(LONGEST)));
        assert_eq!(ask(&provider, false).await.unwrap().body().len(), LONGEST);
        provider.on("/page", |_| Reply::json(&"x".repeat(LONGEST + 1)));
        assert!(matches!(ask(&provider, false).await, Err(HttpError::TooLong)));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let request = Request::get(url).body(Vec::new()).unwrap();
        let error = Http::new(false).send(request).await.unwrap_err();
        assert_eq!(error.to_string(), "it cannot be reached: it takes too long");
    }
}
