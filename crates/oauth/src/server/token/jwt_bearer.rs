//! `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523, section 2.1) with an Identity
//! Assertion JWT Authorization Grant: an enterprise's identity provider says that one of its users
//! may use this server by one client (draft-ietf-oauth-identity-assertion-authz-grant, section 4.4;
//! the MCP extension for enterprise-managed authorization, sections 5 and 7).
//!
//! There is no refresh token: the provider is asked again, and decides again.

#[cfg(test)]
mod tests;

use std::time::Duration;

use mcp_everything_store::{
    StoreError,
    oauth::{AttemptId, ClientRecord, SecretHash},
};
use serde::Deserialize;
use thiserror::Error;

use super::{Context, GrantType, TokenError, alone, shows, use_up};
use crate::{
    NotSaid, ScopeSet,
    dpop::Proof,
    jose::{Audience, ClaimError, Jws, JwsError, Times},
    params::Params,
    resources::same_resource,
    subject,
    tokens::Issued,
    upstream::UserId,
};

const TYPE: &str = "oauth-id-jag+jwt";
/// From `iat` to `exp`. Providers give minutes.
const LONGEST_LIFE: Duration = Duration::from_secs(20 * 60);
const LONGEST_ID: usize = 255;

/// Why an assertion is no grant. The text has nothing of the assertion in it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(in crate::server) enum AssertionError {
    #[error(transparent)]
    Said(#[from] NotSaid),
    #[error("its typ must be oauth-id-jag+jwt")]
    OtherType,
    #[error("its iss is not a provider that is trusted here")]
    OtherIssuer,
    #[error("its aud must be this issuer, and nobody else")]
    OtherAudience,
    #[error("its client_id is not the client that sent it")]
    OtherClient,
    #[error(transparent)]
    Times(#[from] ClaimError),
    #[error("its iat is missing")]
    NoIssueTime,
    #[error("its jti is missing or too long")]
    NoId,
    #[error("its sub is missing, or no user id")]
    NoUser,
    #[error("its resource is none of those that tokens are issued for")]
    OtherResource,
    #[error("none of its scope is known here")]
    OtherScope,
    #[error("it was used before")]
    Replayed,
}

impl From<JwsError> for AssertionError {
    fn from(error: JwsError) -> Self {
        Self::Said(error.into())
    }
}

#[derive(Deserialize)]
struct Issuer {
    iss: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    aud: Option<Audience>,
    client_id: Option<String>,
    jti: Option<String>,
    resource: Option<Audience>,
    scope: Option<String>,
    cnf: Option<Confirmation>,
    #[serde(flatten)]
    times: Times,
}

/// The key that must be shown with it (RFC 7800).
#[derive(Deserialize)]
struct Confirmation {
    jkt: String,
}

pub(super) async fn exchange(
    context: &Context,
    client: &ClientRecord,
    params: &Params,
    proof: Option<&Proof>,
) -> Result<Issued, TokenError> {
    let text = params.one("assertion")?.ok_or(TokenError::Missing("assertion"))?;
    let assertion = verify(context, client, text).await?;
    shows(proof, assertion.claims.cnf.as_ref().map(|cnf| cnf.jkt.as_str()))?;
    let resource = resource(context, &assertion.claims, params)?;
    let scope = scope(context, &assertion.claims, params.one("scope")?)?;
    use_up(context, proof).await?;
    if !assertion.is_first(context).await? {
        return Err(AssertionError::Replayed.into());
    }
    let by = GrantType::JwtBearer;
    let wanted = alone::Wanted { by, user: &assertion.user, scope, resource };
    alone::issue(context, client, wanted, proof).await
}

/// An assertion that a trusted provider made, about one of its users, for this server and this
/// client.
struct Verified {
    claims: Claims,
    user: String,
    name: SecretHash,
    life: Duration,
}

async fn verify(
    context: &Context,
    client: &ClientRecord,
    text: &str,
) -> Result<Verified, AssertionError> {
    let jws = Jws::read(text)?;
    if !jws.is_typed(TYPE) {
        return Err(AssertionError::OtherType);
    }
    let Issuer { iss } = jws.unverified()?;
    let issuer = iss.as_deref().and_then(|iss| context.config.enterprise_issuers.named(iss));
    let issuer = issuer.ok_or(AssertionError::OtherIssuer)?;
    let claims: Claims = issuer.said(&jws).await?;
    let own = context.config.issuer.as_str();
    let sole = claims.aud.as_ref().and_then(Audience::sole);
    if !sole.is_some_and(|aud| same_resource(aud, own)) {
        return Err(AssertionError::OtherAudience);
    }
    if claims.client_id.as_deref() != Some(client.id.as_str()) {
        return Err(AssertionError::OtherClient);
    }
    let life = claims.times.check(context.clock.now(), LONGEST_LIFE)?;
    if claims.times.iat.is_none() {
        return Err(AssertionError::NoIssueTime);
    }
    let jti = claims.jti.as_deref().filter(|jti| (1..=LONGEST_ID).contains(&jti.len()));
    let jti = jti.ok_or(AssertionError::NoId)?;
    // OpenID Connect's bound, as docs/authorization.md says; ours is for a name with its issuer.
    let sub = claims.sub.as_deref().filter(|sub| sub.len() <= 255).and_then(UserId::parse);
    let sub = sub.ok_or(AssertionError::NoUser)?;
    let name = SecretHash::of(&format!("id-jag\n{}\n{jti}", issuer.name()));
    let user = subject::of_enterprise(issuer.name(), &sub);
    Ok(Verified { claims, user, name, life })
}

impl Verified {
    /// Uses it up, for all instances.
    async fn is_first(&self, context: &Context) -> Result<bool, StoreError> {
        let attempt = AttemptId::draw(&*context.random);
        context.store.remember_once(&self.name, &attempt, self.life).await
    }
}

/// The resource that the provider allows; one of them if it allows several and the client asks for
/// it. A provider that says nothing leaves it to this server.
fn resource<'a>(
    context: &'a Context,
    claims: &'a Claims,
    params: &'a Params,
) -> Result<&'a str, TokenError> {
    let resources = &context.config.resources;
    let mut asked = params.all("resource");
    let first = asked.next();
    if asked.next().is_some() {
        return Err(TokenError::SeveralResources);
    }
    let Some(allowed) = &claims.resource else {
        return resources.select(first).map_err(|_| TokenError::UnknownResource);
    };
    let chosen = match first {
        Some(asked) => allowed
            .iter()
            .find(|allowed| same_resource(allowed, asked))
            .ok_or(TokenError::OtherResource)?,
        None => allowed.sole().ok_or(TokenError::SeveralResources)?,
    };
    Ok(resources.select(Some(chosen)).map_err(|_| AssertionError::OtherResource)?)
}

/// What the provider allows and the client asks for (the MCP extension, section 7.2.1).
fn scope(context: &Context, claims: &Claims, asked: Option<&str>) -> Result<ScopeSet, TokenError> {
    let allowed = match &claims.scope {
        Some(scope) => ScopeSet::parse_known(scope),
        None => context.config.default_scope,
    };
    if allowed.is_empty() {
        return Err(AssertionError::OtherScope.into());
    }
    let asked = ScopeSet::parse(asked.unwrap_or_default())?;
    let scope = if asked.is_empty() { allowed } else { allowed.intersection(asked) };
    if scope.is_empty() { Err(TokenError::WiderScope) } else { Ok(scope) }
}
