//! A server's public URL, from which every other URL is made.

use thiserror::Error;
use url::Url;

/// The public URL of a server, kept byte for byte: identifiers are compared as text (RFC 8414,
/// section 3.3; RFC 9207, section 2.4), so it must never pass through something that tidies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUri {
    text: String,
    /// Where the path begins in `text`.
    path_at: usize,
    https: bool,
}

impl BaseUri {
    /// Takes `http` and `https` URLs of a host, an optional port and an optional path.
    pub fn parse(text: &str) -> Result<Self, BaseUriError> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BaseUriError::NotAscii);
        }
        let url = Url::parse(text).map_err(|_| BaseUriError::NotAUrl)?;
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(BaseUriError::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUriError::UserInfo);
        }
        if text.contains(['?', '#']) {
            return Err(BaseUriError::QueryOrFragment);
        }
        let scheme = if https { "https://" } else { "http://" };
        let authority = text
            .strip_prefix(scheme)
            .filter(|_| !text.contains('\\'))
            .ok_or(BaseUriError::NotAUrl)?;
        let path_at = authority.find('/').map_or(text.len(), |at| at + scheme.len());
        let base = Self { text: text.to_owned(), path_at, https };
        if base.path() != url.path().trim_end_matches('/') {
            return Err(BaseUriError::Path);
        }
        Ok(base)
    }

    /// As it was configured.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether browsers reach it through TLS.
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Its path without a slash at the end: empty, or like `/tools/mcp`.
    pub fn path(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or_default().trim_end_matches('/')
    }

    /// The URL of a path below it, which begins with a slash or is empty.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text.trim_end_matches('/'))
    }

    /// The URL of a well-known document about `path` below it: the name goes between the host and
    /// the path (RFC 8414, section 3.1; RFC 9728, section 3.1).
    pub fn well_known(&self, name: &str, path: &str) -> String {
        let origin = self.text.get(..self.path_at).unwrap_or_default();
        format!("{origin}{}", self.well_known_path(name, path))
    }

    /// The path of that document.
    pub(crate) fn well_known_path(&self, name: &str, path: &str) -> String {
        format!("/.well-known/{name}{}{path}", self.path())
    }
}

/// Why a text is not a server's public URL.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BaseUriError {
    /// It has spaces, control characters or others outside ASCII.
    #[error("it has characters that a URL cannot have")]
    NotAscii,
    /// It is not a URL.
    #[error("it is not a URL like https://example.com")]
    NotAUrl,
    /// It begins with something else than `http://` or `https://`.
    #[error("it does not begin with https:// or http://")]
    Scheme,
    /// It names a user.
    #[error("it has a user name or password")]
    UserInfo,
    /// It has a query or fragment.
    #[error("it has a query or fragment")]
    QueryOrFragment,
    /// Its path is not in the form in which it would be requested.
    #[error("its path has dot segments or characters that must be encoded")]
    Path,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_as_it_was_written() {
        for text in [
            "http://localhost:3232",
            "http://localhost:3232/",
            "https://Example.COM:443/Base",
            "http://[::1]:80",
        ] {
            assert_eq!(BaseUri::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn urls_are_made_by_joining() {
        for (base, path, joined, well_known) in [
            ("https://a.example", "", "https://a.example/x", "https://a.example/.well-known/n/mcp"),
            (
                "https://a.example/",
                "",
                "https://a.example/x",
                "https://a.example/.well-known/n/mcp",
            ),
            (
                "https://a.example:8443/b/",
                "/b",
                "https://a.example:8443/b/x",
                "https://a.example:8443/.well-known/n/b/mcp",
            ),
        ] {
            let base = BaseUri::parse(base).unwrap();
            assert_eq!(base.path(), path);
            assert_eq!(base.join("/x"), joined);
            assert_eq!(base.well_known("n", "/mcp"), well_known);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, error) in [
            ("", BaseUriError::NotAUrl),
            ("localhost:3232", BaseUriError::Scheme),
            ("example.com", BaseUriError::NotAUrl),
            ("ftp://example.com", BaseUriError::Scheme),
            (" https://example.com", BaseUriError::NotAscii),
            ("https://exämple.com", BaseUriError::NotAscii),
            ("https://a@example.com", BaseUriError::UserInfo),
            ("https://example.com/?a", BaseUriError::QueryOrFragment),
            ("https://example.com/#a", BaseUriError::QueryOrFragment),
            ("https://example.com/a/../b", BaseUriError::Path),
            ("HTTPS://example.com", BaseUriError::NotAUrl),
            ("https:\\\\example.com", BaseUriError::NotAUrl),
            ("https:example.com", BaseUriError::NotAUrl),
        ] {
            assert_eq!(BaseUri::parse(text), Err(error), "{text}");
        }
    }
}
