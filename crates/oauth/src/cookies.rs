//! The cookies of the pages.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};

/// A cookie of ours, by what it is for.
#[derive(Clone, Copy, Debug)]
pub struct CookieName {
    https: bool,
    plain: &'static str,
    secure: &'static str,
}

impl CookieName {
    /// The browser that a login belongs to.
    pub(crate) const fn login(https: bool) -> Self {
        Self { https, plain: "mcp-login", secure: "__Host-mcp-login" }
    }

    /// The user who is signed in to the account page.
    pub(crate) const fn account(https: bool) -> Self {
        Self { https, plain: "mcp-account", secure: "__Host-mcp-account" }
    }

    /// The user who has shown an access token to the status page.
    pub const fn status(https: bool) -> Self {
        Self { https, plain: "mcp-status", secure: "__Host-mcp-status" }
    }

    /// With the prefix `__Host-` a browser takes the cookie only from this very host.
    const fn as_str(self) -> &'static str {
        if self.https { self.secure } else { self.plain }
    }

    /// What a request brings under this name: more than one value if another host set one too.
    pub fn values(self, headers: &HeaderMap) -> impl Iterator<Item = String> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .filter(move |cookie| cookie.name() == self.as_str())
            .map(|cookie| cookie.value().to_owned())
    }

    /// The header that gives the browser this value.
    pub fn set(self, value: &str, life: Duration) -> Option<HeaderValue> {
        let seconds = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        let cookie = Cookie::build((self.as_str(), value))
            .path("/")
            .http_only(true)
            .secure(self.https)
            // Lax, as other sites send the browser here: that of a client, and that of the provider.
            .same_site(SameSite::Lax)
            .max_age(cookie::time::Duration::seconds(seconds));
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}
