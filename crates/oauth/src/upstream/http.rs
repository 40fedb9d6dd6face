//! Requests to a provider.

use std::{future::Future, pin::Pin, time::Duration};

use axum::http::{Request, Response, StatusCode};
use mcp_everything_store::spans;
use openidconnect::AsyncHttpClient;
use reqwest::{Client, redirect::Policy};
use thiserror::Error;
use tracing::Instrument as _;

use super::UpstreamError;
use crate::http::{self, body, unreachable};

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// For the whole answer; the user waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// GitHub answers nobody without one.
const USER_AGENT: &str = concat!("mcp-everything/", env!("CARGO_PKG_VERSION"));

/// Asks a provider, which an operator named. It follows no redirects: no specification has them
/// here, and whoever is redirected to would see secrets. Nothing is sent twice: a code is good once.
pub(super) struct Http(Client);

/// Why there is no answer.
#[derive(Debug, Error)]
pub(super) enum HttpError {
    #[error(transparent)]
    Failed(#[from] http::HttpError),
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
            // Nothing is lost on a connection that the provider is just closing.
            .pool_max_idle_per_host(0);
        let client = builder.build();
        Self(client.unwrap_or_else(|error| panic!("there is no HTTP client: {error}")))
    }

    /// The answer to a request, whatever its status but those that say to try again later.
    pub(super) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let request: reqwest::Request = request.try_into().map_err(|_| HttpError::Insecure)?;
        let span = spans::request(request.method().as_str(), request.url().host_str());
        let answer = self.0.execute(request).instrument(span.clone()).await;
        let mut answer = answer.map_err(|error| {
            spans::failed(&span, "unreachable");
            of(&error)
        })?;
        let status = answer.status();
        span.record("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(http::HttpError::Status(status.as_u16()).into());
        }
        let headers = std::mem::take(answer.headers_mut());
        let mut response = Response::new(body(answer).await?);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn of(error: &reqwest::Error) -> HttpError {
    if error.is_builder() { HttpError::Insecure } else { unreachable(error).into() }
}

impl From<&HttpError> for UpstreamError {
    fn from(error: &HttpError) -> Self {
        use http::HttpError::{NotJson, Status, TooLong, Unreachable};
        let reason = error.to_string();
        match error {
            HttpError::Failed(Unreachable(_)) => {
                Self::Unavailable { reason: format!("it cannot be reached: {reason}") }
            }
            HttpError::Failed(Status(_)) => Self::Unavailable { reason },
            HttpError::Failed(TooLong | NotJson) | HttpError::Insecure => Self::Faulty { reason },
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
    use crate::http::LONGEST;
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
        assert!(matches!(
            ask(&provider, false).await,
            Err(HttpError::Failed(http::HttpError::TooLong))
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let request = Request::get(url).body(Vec::new()).unwrap();
        let error = Http::new(false).send(request).await.unwrap_err();
        assert!(matches!(UpstreamError::from(&error), UpstreamError::Unavailable { .. }));
    }
}
