//! A provider that speaks OAuth 2.0 and nothing more, GitHub for one: who the user is, it says at an
//! endpoint of its own.
//!
//! The access token that it gives is used for that one question, and kept nowhere.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Router,
    http::{HeaderValue, Request, StatusCode, header, request},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::Random;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    Answer, CALLBACK, Departure, Provider, ProviderUrl, Registration, Upstream, UpstreamError,
    UserId, answer::token_refusal, http::Http,
};

/// Where a provider without metadata is asked what.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The browser is sent here.
    pub authorize: ProviderUrl,
    /// The code is redeemed here.
    pub token: ProviderUrl,
    /// Answers with a JSON object about the user, whose `sub` or `id` names them.
    pub userinfo: ProviderUrl,
}

/// An OAuth 2.0 provider, with its endpoints by name.
pub struct OAuth2Upstream {
    endpoints: Endpoints,
    registration: Registration,
    provider: Provider,
    http: Http,
    random: Arc<dyn Random>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    token_type: Option<String>,
    /// GitHub sends it with 200.
    error: Option<String>,
}

#[derive(Deserialize)]
struct User {
    sub: Option<Value>,
    id: Option<Value>,
}

impl OAuth2Upstream {
    /// The provider with these endpoints.
    pub fn new(endpoints: Endpoints, registration: Registration, random: Arc<dyn Random>) -> Self {
        let provider =
            Provider { host: endpoints.authorize.host(), scopes: registration.scopes.clone() };
        let http = Http::new(endpoints.token.is_https() && endpoints.userinfo.is_https());
        Self { endpoints, registration, provider, http, random }
    }

    /// The client authenticates in the body, which GitHub and most of its like take; RFC 6749,
    /// section 2.3.1, has it as an alternative.
    async fn redeem(&self, code: &str, verifier: &str) -> Result<HeaderValue, UpstreamError> {
        let form = Zeroizing::new(
            form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "authorization_code")
                .append_pair("code", code)
                .append_pair("redirect_uri", &self.registration.redirect_uri)
                .append_pair("code_verifier", verifier)
                .append_pair("client_id", &self.registration.client_id)
                .append_pair("client_secret", self.registration.client_secret.expose())
                .finish(),
        );
        let request = Request::post(self.endpoints.token.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let (_, tokens) = self.ask::<Tokens>(request, form.as_bytes(), "token response").await?;
        if let Some(error) = tokens.error {
            return Err(token_refusal(&error));
        }
        let token = tokens.access_token.map(Zeroizing::new).ok_or_else(|| {
            UpstreamError::faulty("its token response has neither access_token nor error")
        })?;
        if !tokens.token_type.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(UpstreamError::faulty("its access token is no bearer token"));
        }
        let mut bearer = HeaderValue::from_str(&Zeroizing::new(format!("Bearer {}", *token)))
            .map_err(|_| UpstreamError::faulty("its access token has characters of no token"))?;
        bearer.set_sensitive(true);
        Ok(bearer)
    }

    async fn user(&self, bearer: HeaderValue) -> Result<String, UpstreamError> {
        let request =
            Request::get(self.endpoints.userinfo.as_str()).header(header::AUTHORIZATION, bearer);
        let (status, user) = self.ask::<User>(request, b"", "userinfo response").await?;
        if status != StatusCode::OK {
            return Err(UpstreamError::faulty(format!("its userinfo endpoint answers {status}")));
        }
        match user.sub.or(user.id) {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
            _ => Err(UpstreamError::faulty("its userinfo response has neither sub nor id")),
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: request::Builder,
        body: &[u8],
        what: &str,
    ) -> Result<(StatusCode, T), UpstreamError> {
        let request = request
            .header(header::ACCEPT, "application/json")
            .body(body.to_vec())
            .map_err(|error| UpstreamError::faulty(error.to_string()))?;
        let answer = self.http.send(request).await.map_err(|error| UpstreamError::from(&error))?;
        let status = answer.status();
        let body = Zeroizing::new(answer.into_body());
        // Why not is not told: what cannot be read may be a token.
        let read = serde_json::from_slice(&body).map_err(|_| {
            UpstreamError::faulty(format!("its {what} cannot be read; its status is {status}"))
        })?;
        Ok((status, read))
    }
}

#[async_trait]
impl Upstream for OAuth2Upstream {
    fn callback_paths(&self) -> &[&'static str] {
        &[CALLBACK]
    }

    fn pages(&self) -> Router {
        Router::new()
    }

    fn provider(&self) -> Option<&Provider> {
        Some(&self.provider)
    }

    /// Nothing is to be read: it has no metadata.
    async fn prepare(&self) -> Result<(), UpstreamError> {
        Ok(())
    }

    async fn begin(&self, state: &str) -> Result<Departure, UpstreamError> {
        let verifier = self.random.token::<32>();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let mut url = self.endpoints.authorize.url().clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.registration.client_id)
            .append_pair("redirect_uri", &self.registration.redirect_uri)
            .append_pair("state", state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if !self.registration.scopes.is_empty() {
            url.query_pairs_mut().append_pair("scope", &self.registration.scopes.join(" "));
        }
        Ok(Departure { url: url.into(), memo: verifier })
    }

    async fn identify(&self, answer: &Answer<'_>, memo: &str) -> Result<UserId, UpstreamError> {
        let bearer = self.redeem(answer.code()?, memo).await?;
        let subject = self.user(bearer).await?;
        UserId::at(&self.endpoints.userinfo, &subject)
            .ok_or_else(|| UpstreamError::faulty("its user's name is not visible ASCII"))
    }
}
