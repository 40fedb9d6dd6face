//! A provider that speaks OpenID Connect: the code flow, with PKCE.
//!
//! What is believed is the ID token alone, and of it nothing but `sub`. The tokens that come with it
//! are dropped unread: they are for the provider's own APIs, and no client of this server ever gets
//! one.

mod discovery;
mod id_token;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use mcp_everything_store::{Clock, Random};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, StandardErrorResponse, TokenResponse as _,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType,
        CoreTokenResponse,
    },
};

use self::discovery::{Discovery, Metadata};
use super::{
    Answer, CALLBACK, Departure, Provider, ProviderUrl, Registration, Upstream, UpstreamError,
    UserId,
    answer::token_refusal,
    http::{Http, HttpError},
};

/// An OpenID provider, found by its issuer.
pub struct OpenIdUpstream {
    issuer: ProviderUrl,
    registration: Registration,
    provider: Provider,
    http: Arc<Http>,
    discovery: Discovery,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl OpenIdUpstream {
    /// The provider that calls itself `issuer`. The scope `openid` is asked for unsaid.
    pub fn new(
        issuer: ProviderUrl,
        mut registration: Registration,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        registration.scopes.retain(|scope| scope != "openid");
        let scopes = std::iter::once("openid".to_owned()).chain(registration.scopes.clone());
        let provider = Provider { host: issuer.host(), scopes: scopes.collect() };
        let http = Arc::new(Http::new(issuer.is_https()));
        let discovery = Discovery::new(issuer.clone(), Arc::clone(&http), Arc::clone(&clock));
        Self { issuer, registration, provider, http, discovery, clock, random }
    }

    fn client(&self, metadata: &Metadata) -> Result<Client, UpstreamError> {
        let redirect_uri = RedirectUrl::new(self.registration.redirect_uri.clone())
            .map_err(|error| UpstreamError::faulty(format!("the redirect URI: {error}")))?;
        let secret = ClientSecret::new(self.registration.client_secret.expose().to_owned());
        let id = ClientId::new(self.registration.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret));
        Ok(client.set_auth_type(auth_type(metadata)?).set_redirect_uri(redirect_uri))
    }

    async fn redeem(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<CoreTokenResponse, UpstreamError> {
        let client = self.client(metadata)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| UpstreamError::faulty("its metadata names no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        request.request_async(&*self.http).await.map_err(|error| no_tokens(&error))
    }
}

#[async_trait]
impl Upstream for OpenIdUpstream {
    fn callback_paths(&self) -> &[&'static str] {
        &[CALLBACK]
    }

    fn pages(&self) -> Router {
        Router::new()
    }

    fn provider(&self) -> Option<&Provider> {
        Some(&self.provider)
    }

    async fn prepare(&self) -> Result<(), UpstreamError> {
        self.client(&*self.discovery.metadata().await?).map(drop)
    }

    async fn begin(&self, state: &str) -> Result<Departure, UpstreamError> {
        let client = self.client(&*self.discovery.metadata().await?)?;
        let (verifier, nonce) = (self.random.token::<32>(), self.random.token::<32>());
        let memo = format!("{verifier} {nonce}");
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
        let state = CsrfToken::new(state.to_owned());
        let (url, ..) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || state,
                || Nonce::new(nonce),
            )
            .add_scopes(self.registration.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Departure { url: url.into(), memo })
    }

    async fn identify(&self, answer: &Answer<'_>, memo: &str) -> Result<UserId, UpstreamError> {
        let metadata = self.discovery.metadata().await?;
        self.check_issuer(answer, &metadata)?;
        let code = answer.code()?;
        let (verifier, nonce) = memo
            .split_once(' ')
            .ok_or_else(|| UpstreamError::bad_answer("it answers a login of another provider"))?;
        let tokens = self.redeem(&metadata, code, verifier).await?;
        let token = tokens
            .id_token()
            .ok_or_else(|| UpstreamError::faulty("its token response has no ID token"))?;
        let subject = self.subject(token, metadata, nonce).await?;
        UserId::at(&self.issuer, &subject)
            .ok_or_else(|| UpstreamError::faulty("the sub of its ID token is not visible ASCII"))
    }
}

impl OpenIdUpstream {
    /// RFC 9207, section 2.4.
    fn check_issuer(&self, answer: &Answer<'_>, metadata: &Metadata) -> Result<(), UpstreamError> {
        let says_so = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        match answer.get("iss")? {
            Some(iss) if iss == self.issuer.as_str() => Ok(()),
            Some(_) => Err(UpstreamError::bad_answer("it comes from another issuer")),
            None if says_so => Err(UpstreamError::bad_answer("it does not name its issuer")),
            None => Ok(()),
        }
    }
}

/// The first that both sides have; a provider that names none has the first (OpenID Connect
/// Discovery 1.0, section 3).
fn auth_type(metadata: &Metadata) -> Result<AuthType, UpstreamError> {
    let has = |method| {
        let methods = metadata.token_endpoint_auth_methods_supported();
        methods.is_none_or(|methods| methods.contains(&method))
    };
    if has(CoreClientAuthMethod::ClientSecretBasic) {
        Ok(AuthType::BasicAuth)
    } else if has(CoreClientAuthMethod::ClientSecretPost) {
        Ok(AuthType::RequestBody)
    } else {
        Err(UpstreamError::faulty("its token endpoint takes no client_secret"))
    }
}

type NoTokens = RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>;

fn no_tokens(error: &NoTokens) -> UpstreamError {
    match error {
        RequestTokenError::ServerResponse(answer) => token_refusal(answer.error().as_ref()),
        RequestTokenError::Request(error) => error.into(),
        // What could not be read may be a token.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            UpstreamError::faulty("its token response cannot be read")
        }
    }
}
