//! The URLs of providers.

use thiserror::Error;
use url::{Host, Url};

/// In bytes. It is part of the name of each of its users.
pub(super) const LONGEST: usize = 256;

/// A URL of a provider, kept byte for byte, as issuers are compared as text (OpenID Connect
/// Discovery 1.0, section 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUrl {
    text: String,
    url: Url,
}

impl ProviderUrl {
    /// Takes `https` URLs without a fragment and, of loopback hosts, `http` URLs too.
    pub fn parse(text: &str) -> Result<Self, ProviderUrlError> {
        if text.len() > LONGEST {
            return Err(ProviderUrlError::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ProviderUrlError::NotAUrl);
        }
        let url = Url::parse(text).map_err(|_| ProviderUrlError::NotAUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(ProviderUrlError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ProviderUrlError::UserInfo);
        }
        if text.contains('#') {
            return Err(ProviderUrlError::Fragment);
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// The same of an issuer, which has no query either (OpenID Connect Discovery 1.0, section 3).
    pub fn parse_issuer(text: &str) -> Result<Self, ProviderUrlError> {
        let url = Self::parse(text)?;
        if text.contains('?') { Err(ProviderUrlError::Query) } else { Ok(url) }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// With its port, if it has one that is not the usual.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why a text is not the URL of a provider.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ProviderUrlError {
    /// It is longer than 256 characters.
    #[error("it has more than 256 characters")]
    TooLong,
    /// It is not a URL.
    #[error("it is not a URL like https://login.example.com")]
    NotAUrl,
    /// It is neither `https` nor `http` on this computer.
    #[error("it does not begin with https://, and http:// is for loopback hosts")]
    NotHttps,
    /// It names a user.
    #[error("it has a user name or password")]
    UserInfo,
    /// It has a query.
    #[error("it has a query")]
    Query,
    /// It has a fragment.
    #[error("it has a fragment")]
    Fragment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_as_it_was_written() {
        for (text, host) in [
            ("https://login.example.com", "login.example.com"),
            ("https://login.example.com/tenant/v2.0/", "login.example.com"),
            ("https://Login.example.com:8443/?a=b", "login.example.com:8443"),
            ("http://localhost:4000", "localhost:4000"),
            ("http://127.0.0.1:4000/a", "127.0.0.1:4000"),
            ("http://[::1]", "[::1]"),
        ] {
            let url = ProviderUrl::parse(text).unwrap();
            assert_eq!((url.as_str(), url.host().as_str()), (text, host));
        }
    }

    #[test]
    fn what_is_not_protected_on_its_way_is_refused() {
        for (text, error) in [
            ("login.example.com", ProviderUrlError::NotAUrl),
            ("", ProviderUrlError::NotAUrl),
            (&format!("https://{}", "x".repeat(249)), ProviderUrlError::TooLong),
            ("https://login.example.com/a b", ProviderUrlError::NotAUrl),
            ("http://login.example.com", ProviderUrlError::NotHttps),
            ("http://localhost.example.com", ProviderUrlError::NotHttps),
            ("http://10.0.0.1", ProviderUrlError::NotHttps),
            ("ftp://localhost", ProviderUrlError::NotHttps),
            ("javascript:alert(1)", ProviderUrlError::NotHttps),
            ("https://a@login.example.com", ProviderUrlError::UserInfo),
            ("https://login.example.com/#", ProviderUrlError::Fragment),
        ] {
            assert_eq!(ProviderUrl::parse(text), Err(error), "{text}");
        }
        let query = ProviderUrl::parse_issuer("https://login.example.com?a");
        assert_eq!(query, Err(ProviderUrlError::Query));
        assert!(ProviderUrl::parse_issuer("https://login.example.com/").is_ok());
    }
}
