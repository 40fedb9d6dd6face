//! Tokens of an authorization server elsewhere, of which nothing is known but its URL.

mod audience;
mod cache;
mod claims;
mod discovery;
mod introspection;
mod issuers;
mod jwt;
mod keys;
mod registration;
mod server;
#[cfg(test)]
mod tests;

use std::{str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use mcp_everything_store::{Clock, oauth::SecretHash};
use thiserror::Error;
use tokio::time::timeout;

pub(crate) use self::issuers::NotSaid;
pub use self::{
    audience::{NoAudience, TokenAudience},
    introspection::IntrospectionClient,
    issuers::TrustedIssuers,
    server::TrustedServer,
};
use self::{
    cache::Cache,
    claims::Expected,
    introspection::{Introspection, away},
    jwt::{Jwt, is_jws},
};
use super::{Caller, Flaw, TokenVerifier, VerifyError};
use crate::{BaseUri, events, secret::AccessToken};

/// How long a request may wait for what is said of its token.
const PATIENCE: Duration = Duration::from_secs(3);

/// How tokens are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenCheck {
    /// By their signatures if they are JWTs and the server has keys, and else by introspection.
    #[default]
    Auto,
    /// By asking the server (RFC 7662).
    Introspection,
    /// By their signatures (RFC 9068).
    Jwt,
}

/// A text that names no way to check tokens.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("it is neither auto nor introspection nor jwt")]
pub struct UnknownTokenCheck;

impl TokenCheck {
    /// As settings have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Introspection => "introspection",
            Self::Jwt => "jwt",
        }
    }
}

impl FromStr for TokenCheck {
    type Err = UnknownTokenCheck;

    fn from_str(text: &str) -> Result<Self, UnknownTokenCheck> {
        [Self::Auto, Self::Introspection, Self::Jwt]
            .into_iter()
            .find(|check| check.as_str() == text)
            .ok_or(UnknownTokenCheck)
    }
}

/// What is to be known of an authorization server's tokens besides its metadata.
#[derive(Clone, Default)]
pub struct RemoteTokens {
    /// How they are checked.
    pub check: TokenCheck,
    /// What says that one is for this server; `None`: `aud` is the URL of the resource.
    pub audience: Option<TokenAudience>,
    /// Who asks about them. `None`: whoever this server registers itself as, and where there is no
    /// registration, nobody in particular.
    pub introspection_client: Option<IntrospectionClient>,
}

/// Checks the tokens of an authorization server that is found by its metadata.
pub struct RemoteVerifier {
    server: Arc<TrustedServer>,
    check: TokenCheck,
    introspection: Introspection,
    jwt: Jwt,
    expected: Expected,
    cache: Cache,
    clock: Arc<dyn Clock>,
}

/// How one token is checked.
enum Way<'a> {
    Introspection(&'a str),
    Jwt(&'a str),
}

impl RemoteVerifier {
    /// For the tokens of `server` that are for the resources at `base`: the URL itself and these
    /// paths of it.
    pub fn new(
        server: Arc<TrustedServer>,
        tokens: RemoteTokens,
        base: &BaseUri,
        paths: &[&str],
        clock: Arc<dyn Clock>,
    ) -> Self {
        let whole = base.as_str().to_owned();
        let paths = paths.iter().map(|path| base.join(path));
        let expected = Expected {
            issuer: server.issuer().as_str().to_owned(),
            audience: tokens.audience,
            resources: [whole.clone()].into_iter().chain(paths).collect(),
            whole,
        };
        Self {
            check: tokens.check,
            introspection: Introspection::new(Arc::clone(&server), tokens.introspection_client),
            jwt: Jwt::new(Arc::clone(&server)),
            expected,
            cache: Cache::new(Arc::clone(&clock)),
            clock,
            server,
        }
    }

    async fn find(&self, token: &str) -> Result<Caller, VerifyError> {
        let metadata = self.server.metadata();
        let metadata =
            metadata.ok_or_else(|| away(format!("{} is not found yet", self.expected.issuer)))?;
        let way = self.way(
            metadata.introspection_endpoint.as_deref(),
            metadata.jwks_uri.as_deref(),
            token,
        )?;
        let now = self.clock.now();
        match way {
            Way::Jwt(jwks_uri) => {
                let claims = self.jwt.check(jwks_uri, token).await?;
                Ok(claims.caller(&self.expected, now).map_err(|_| Flaw::Malformed)??)
            }
            Way::Introspection(endpoint) => {
                let claims = self.introspection.ask(&metadata, endpoint, token).await?;
                let caller: Result<Caller, Flaw> =
                    claims.caller(&self.expected, now).map_err(|not_read| {
                        away(format!("{endpoint}: it says {} in no known form", not_read.claim()))
                    })?;
                // The tokens of a server like this one say from which grant they come. Where its bells
                // are heard here, what was opened with a grant ends with it.
                let grant = AccessToken::parse(token).map(|token| token.grant());
                Ok(Caller { grant, ..caller? })
            }
        }
    }

    fn way<'a>(
        &self,
        introspection: Option<&'a str>,
        jwks_uri: Option<&'a str>,
        token: &str,
    ) -> Result<Way<'a>, VerifyError> {
        let missing = |what: &str| away(format!("{} has no {what}", self.expected.issuer));
        let signed = match (self.check, jwks_uri) {
            (TokenCheck::Introspection, _) | (TokenCheck::Auto, None) => None,
            (TokenCheck::Jwt, None) => return Err(missing("jwks_uri")),
            (TokenCheck::Jwt, Some(uri)) => Some(uri),
            (TokenCheck::Auto, Some(uri)) => is_jws(token).then_some(uri),
        };
        match (signed, introspection) {
            (Some(uri), _) => Ok(Way::Jwt(uri)),
            (None, Some(endpoint)) => Ok(Way::Introspection(endpoint)),
            // Of a server that has keys and does not answer questions, all tokens are JWTs.
            (None, None) if self.check == TokenCheck::Auto && jwks_uri.is_some() => {
                Err(Flaw::Malformed.into())
            }
            (None, None) => Err(missing("introspection_endpoint")),
        }
    }
}

#[async_trait]
impl TokenVerifier for RemoteVerifier {
    async fn verify(&self, token: &str) -> Result<Caller, VerifyError> {
        let found = self.cache.get(SecretHash::of(token), self.find(token));
        let found = timeout(PATIENCE, found).await;
        let found = found.unwrap_or_else(|_| Err(away("it takes too long".to_owned())));
        if let Err(VerifyError::Unavailable { reason }) = &found {
            events::server_unavailable(&self.expected.issuer, reason);
        }
        found
    }
}
