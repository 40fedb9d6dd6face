//! Which origins a browser's request may come from.

use std::str::FromStr;

use http::{HeaderMap, HeaderValue, header, uri::Authority};
use thiserror::Error;

use super::{Refusal, host::is_host_and_port};

/// The origins allowed to call from a browser: checked on `Origin`, which Streamable HTTP makes a
/// MUST ("Security Warning"), and answered in CORS headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPolicy {
    allowed: Vec<Pattern>,
    advice: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    scheme: String,
    host: String,
    port: Port,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Any,
    Only(u16),
}

/// A text that is no origin.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not an origin such as https://app.example.com or http://localhost:*")]
pub struct InvalidOrigin(String);

impl OriginPolicy {
    /// Allows these: `https://app.example.com` on the scheme's own port,
    /// `https://app.example.com:8443` on that one, `http://localhost:*` on any.
    pub fn new<I>(origins: I) -> Result<Self, InvalidOrigin>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let allowed = origins.into_iter().map(|origin| origin.as_ref().parse());
        Ok(Self { allowed: allowed.collect::<Result<_, _>>()?, advice: "" })
    }

    /// Says this, too, to whoever comes from another origin: what the operator may do about it.
    #[must_use]
    pub fn advising(self, advice: &'static str) -> Self {
        Self { advice, ..self }
    }

    /// Whether the request may go on: it comes from no browser, or from an allowed origin.
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        headers.get_all(header::ORIGIN).iter().all(|origin| self.allows_origin(origin))
    }

    pub(super) fn refused(&self) -> Refusal {
        Refusal::OriginNotAllowed { advice: self.advice }
    }

    /// Whether this is an allowed origin.
    pub fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Pattern>().ok());
        origin.is_some_and(|origin| self.allowed.iter().any(|allowed| allowed.covers(&origin)))
    }
}

impl Default for OriginPolicy {
    /// The loopback names over plain HTTP, on any port.
    fn default() -> Self {
        let loopback = |host: &str| Pattern {
            scheme: "http".to_owned(),
            host: host.to_owned(),
            port: Port::Any,
        };
        Self { allowed: ["localhost", "127.0.0.1", "[::1]"].map(loopback).into(), advice: "" }
    }
}

impl Pattern {
    fn covers(&self, origin: &Self) -> bool {
        self.scheme == origin.scheme
            && self.host == origin.host
            && (self.port == Port::Any || self.port == origin.port)
    }
}

impl FromStr for Pattern {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin(text.to_owned());
        let lower = text.to_ascii_lowercase();
        let (scheme, rest) = lower.split_once("://").ok_or_else(invalid)?;
        let (host, any_port) = rest.strip_suffix(":*").map_or((rest, false), |host| (host, true));
        let authority: Authority = host.parse().map_err(|_| invalid())?;
        let well_formed = is_host_and_port(&authority)
            && !host.contains('*')
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !well_formed || any_port && authority.port().is_some() {
            return Err(invalid());
        }
        // RFC 6454 section 4: an origin without a port has its scheme's.
        let port = match (any_port, authority.port_u16(), scheme) {
            (true, ..) => Port::Any,
            (false, Some(port), _) => Port::Only(port),
            (false, None, "http") => Port::Only(80),
            (false, None, "https") => Port::Only(443),
            (false, None, _) => Port::Only(0),
        };
        Ok(Self { scheme: scheme.to_owned(), host: authority.host().to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: &OriginPolicy, origin: &str) -> bool {
        policy.allows(&HeaderMap::from_iter([(header::ORIGIN, origin.parse().unwrap())]))
    }

    #[test]
    fn no_origin_is_no_browser() {
        assert!(OriginPolicy::default().allows(&HeaderMap::new()));
    }

    #[test]
    fn loopback_on_any_port_by_default() {
        let policy = OriginPolicy::default();
        for origin in
            ["http://localhost:5173", "http://127.0.0.1", "http://[::1]:9", "HTTP://LocalHost"]
        {
            assert!(allows(&policy, origin), "{origin}");
        }
        for origin in [
            "http://evil.example.com",
            "https://localhost",
            "null",
            "",
            "http://localhost.evil.com",
            "http://localhost:1.evil.com",
            "http://localhost:99999",
        ] {
            assert!(!allows(&policy, origin), "{origin}");
        }
    }

    #[test]
    fn ports_are_compared_with_the_schemes_default() {
        let policy = OriginPolicy::new(["https://app.example.com", "http://a.test:8080"]).unwrap();
        assert!(allows(&policy, "https://app.example.com:443"));
        assert!(!allows(&policy, "https://app.example.com:8443"));
        assert!(allows(&policy, "http://a.test:8080"));
        assert!(!allows(&policy, "http://a.test"));
    }

    #[test]
    fn what_is_no_origin_is_not_taken_for_one() {
        for text in
            ["", "localhost", "http://", "http://u@h", "http://a/b", "http://*", "http://a:1:*"]
        {
            assert_eq!(OriginPolicy::new([text]), Err(InvalidOrigin(text.to_owned())), "{text}");
        }
    }
}
