//! How this server is registered at a provider.

use zeroize::Zeroizing;

use crate::BaseUri;

/// The path at which real providers give the browser back. Below the issuer it is the redirect URI
/// that is registered there.
pub const CALLBACK: &str = "/upstream/callback";

/// What this server authenticates with at a provider.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// Takes what the provider gave.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// This server, as a provider knows it.
#[derive(Clone)]
pub struct Registration {
    /// `client_id`
    pub client_id: String,
    /// `client_secret`
    pub client_secret: ClientSecret,
    /// `redirect_uri`
    pub redirect_uri: String,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
}

impl Registration {
    /// Of the authorization server whose issuer is `issuer`.
    pub fn new(
        issuer: &BaseUri,
        client_id: impl Into<String>,
        client_secret: ClientSecret,
        scopes: Vec<String>,
    ) -> Self {
        let redirect_uri = issuer.join(CALLBACK);
        Self { client_id: client_id.into(), client_secret, redirect_uri, scopes }
    }
}
