//! Minting: how a grant turns into tokens.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mcp_everything_store::{
    StoreError,
    oauth::{GrantId, IssuedToken, RefreshFamily, Sealed},
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    ScopeSet,
    secret::{AccessToken, RefreshToken},
    server::Context,
    wire::private_json,
};

/// What tokens are made from.
pub(crate) struct Granted<'a> {
    pub(crate) grant: GrantId,
    pub(crate) user: &'a str,
    pub(crate) client: &'a str,
    pub(crate) scope: ScopeSet,
    pub(crate) resource: &'a str,
    /// The thumbprint of the key they are bound to.
    pub(crate) confirmation: Option<&'a str>,
}

/// A successful token response (RFC 6749, section 5.1).
pub(crate) struct Issued {
    pub(crate) access: AccessToken,
    /// Whether it is bound to a key.
    pub(crate) bound: bool,
    pub(crate) refresh: Option<Zeroizing<String>>,
    pub(crate) expires_in: u64,
    pub(crate) scope: ScopeSet,
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    scope: String,
}

impl IntoResponse for Issued {
    fn into_response(self) -> Response {
        let body = Body {
            access_token: self.access.expose(),
            token_type: token_type(self.bound),
            expires_in: self.expires_in,
            refresh_token: self.refresh.as_ref().map(|text| text.as_str()),
            scope: self.scope.to_string(),
        };
        private_json(StatusCode::OK, &body)
    }
}

/// RFC 6750, section 4; RFC 9449, section 5.
pub(crate) const fn token_type(bound: bool) -> &'static str {
    if bound { "DPoP" } else { "Bearer" }
}

impl Context {
    /// Makes an access token and keeps it.
    pub(crate) async fn issue_access_token(
        &self,
        granted: &Granted<'_>,
    ) -> Result<AccessToken, StoreError> {
        let token = AccessToken::draw(granted.grant, &*self.random);
        let (now, life) = (self.clock.now(), self.config.lifetimes.access_token);
        let record = IssuedToken {
            user: granted.user.to_owned(),
            client: granted.client.to_owned(),
            scope: granted.scope.to_string(),
            audience: granted.resource.to_owned(),
            issued_at: now,
            expires_at: now + life,
            confirmation: granted.confirmation.map(String::from),
        };
        let body = Sealed::seal(&record, token.expose(), &*self.random)?;
        self.store.put_access_token(&token.name(), &body, life).await?;
        Ok(token)
    }

    /// Begins a family of refresh tokens, and gives its first. One that is bound can be used only with
    /// the key that the access token is bound to.
    pub(crate) async fn start_refresh_family(
        &self,
        granted: &Granted<'_>,
        bound: bool,
    ) -> Result<Zeroizing<String>, StoreError> {
        let token = RefreshToken::first(granted.grant, &*self.random);
        let record = RefreshFamily {
            user: granted.user.to_owned(),
            client: granted.client.to_owned(),
            scope: granted.scope.to_string(),
            resource: granted.resource.to_owned(),
            created_at: self.clock.now(),
            confirmation: granted.confirmation.filter(|_| bound).map(String::from),
        };
        let body = Sealed::seal(&record, token.family().expose(), &*self.random)?;
        let life = self.config.lifetimes.refresh;
        self.store.put_refresh_family(&token.family().name(), &body, life).await?;
        Ok(token.expose(&self.keys))
    }
}
