//! How often what may be asked.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
};

use axum::{extract::FromRequestParts, http::request::Parts};
use mcp_everything_store::Limit;

/// The limits of an authorization server. None has a bound by itself.
///
/// Those by address go by [`RemoteAddress`].
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Registrations, by address.
    pub register: Limit,
    /// What browsers ask for in a login, by address.
    pub authorize: Limit,
    /// Requests with wrong codes, tokens or credentials, by address. At the limit nothing more is
    /// looked at, so that nobody finds one by trying.
    pub failures: Limit,
    /// Requests of a client for tokens, and to revoke them. Of one that has nothing to do
    /// so with, by address as well: anybody may say to be it.
    pub client: Limit,
    /// Questions about tokens, by client likewise: a resource server may have one for each request.
    pub introspect: Limit,
}

/// Whom a request comes from, for whatever is before the authorization server to put into the
/// request's extensions: the peer, or whom a trusted proxy names. Requests without one count as
/// those of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteAddress(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for RemoteAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let unknown = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(parts.extensions.get().copied().unwrap_or(unknown))
    }
}
