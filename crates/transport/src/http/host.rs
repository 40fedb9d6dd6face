//! Which hosts a request may name.
//!
//! A page from anywhere can point a name of its own at 127.0.0.1 and then speak to a local server
//! as its "own" origin (DNS rebinding). The `Host` header gives it away.

use std::str::FromStr;

use axum::response::Response;
use http::{HeaderMap, Uri, header, uri::Authority};
use thiserror::Error;

use super::Refusal;

/// The hosts a request may name in `Host` (or `:authority`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPolicy {
    allowed: Vec<Host>,
    advice: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    name: String,
    /// `None`: any port.
    port: Option<u16>,
}

/// A text that is no host.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a host such as example.com, example.com:8443 or [::1]")]
pub struct InvalidHost(String);

impl HostPolicy {
    /// Allows these: `example.com` on any port, `example.com:8443` on that one.
    pub fn new<I>(hosts: I) -> Result<Self, InvalidHost>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let allowed = hosts.into_iter().map(|host| host.as_ref().parse()).collect::<Result<_, _>>();
        Ok(Self { allowed: allowed?, advice: "" })
    }

    /// Says this, too, to whoever names another host: what its operator may do about it.
    #[must_use]
    pub fn advising(self, advice: &'static str) -> Self {
        Self { advice, ..self }
    }

    /// Whether the request names an allowed host.
    pub fn allows(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut named = headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(value), None) => value.to_str().ok().and_then(parts),
            // HTTP/2 names the host in the request line.
            (None, _) => uri.authority().map(|named| (named.host(), named.port_u16())),
            // RFC 9112 section 3.2: more than one is an error.
            (Some(_), Some(_)) => None,
        };
        host.is_some_and(|(name, port)| self.allowed.iter().any(|one| one.covers(name, port)))
    }

    /// The answer to a request that names no allowed host: 403, with a JSON-RPC error.
    pub fn refusal(&self) -> Response {
        self.refused().into_response()
    }

    pub(super) fn refused(&self) -> Refusal {
        Refusal::HostNotAllowed { advice: self.advice }
    }
}

impl Default for HostPolicy {
    /// The loopback names, on any port.
    fn default() -> Self {
        let loopback = |name: &str| Host { name: name.to_owned(), port: None };
        Self { allowed: ["localhost", "127.0.0.1", "[::1]"].map(loopback).into(), advice: "" }
    }
}

impl Host {
    fn covers(&self, name: &str, port: Option<u16>) -> bool {
        self.name.eq_ignore_ascii_case(name) && (self.port.is_none() || self.port == port)
    }
}

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let authority: Authority = text.parse().map_err(|_| InvalidHost(text.to_owned()))?;
        if !is_host_and_port(&authority) {
            return Err(InvalidHost(text.to_owned()));
        }
        Ok(Self { name: authority.host().to_ascii_lowercase(), port: authority.port_u16() })
    }
}

/// The host and the port that a header names. Whether the former is a host at all is not looked at: it
/// is compared with some that are.
fn parts(text: &str) -> Option<(&str, Option<u16>)> {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.rsplit_once(':') {
        Some((name, port)) if is_port(port) => Some((name, Some(port.parse().ok()?))),
        Some(_) | None => Some((text, None)),
    }
}

/// Whether this is a host, and a port at most: an [`Authority`] may name a user, and takes any text
/// for a port.
pub(super) fn is_host_and_port(authority: &Authority) -> bool {
    let host = authority.host();
    let alone = authority.as_str().len() == host.len();
    !host.is_empty()
        && !authority.as_str().contains('@')
        && (alone || authority.port_u16().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: &HostPolicy, host: &str) -> bool {
        let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        policy.allows(&Uri::from_static("/mcp"), &headers)
    }

    #[test]
    fn loopback_is_allowed_on_any_port_and_nothing_else() {
        let policy = HostPolicy::default();
        for host in ["localhost", "LOCALHOST:3232", "127.0.0.1:1", "[::1]:3232", "[::1]"] {
            assert!(allows(&policy, host), "{host}");
        }
        for host in [
            "evil.example.com",
            "localhost.evil.com",
            "localhost:1.evil.com",
            "localhost:99999",
            "localhost:",
            "localhost:+80",
            "localhost:80:80",
            "127.0.0.2",
            "a@localhost",
            "",
            "::1",
        ] {
            assert!(!allows(&policy, host), "{host}");
        }
    }

    #[test]
    fn a_port_in_the_policy_is_the_only_one() {
        let policy = HostPolicy::new(["mcp.example.com:8443", "other.example.com"]).unwrap();
        assert!(allows(&policy, "mcp.example.com:8443"));
        assert!(!allows(&policy, "mcp.example.com"));
        assert!(allows(&policy, "other.example.com:1"));
        assert!(!allows(&policy, "localhost"));
    }

    #[test]
    fn no_host_or_two_are_refused() {
        let policy = HostPolicy::default();
        let mut headers = HeaderMap::new();
        assert!(!policy.allows(&Uri::from_static("/mcp"), &headers));
        assert!(policy.allows(&Uri::from_static("http://localhost/mcp"), &headers));
        headers.append(header::HOST, "localhost".parse().unwrap());
        headers.append(header::HOST, "localhost".parse().unwrap());
        assert!(!policy.allows(&Uri::from_static("/mcp"), &headers));
    }

    #[test]
    fn what_is_no_host_is_not_taken_for_one() {
        for text in ["", "http://a", "a/b", "u@h", "a b"] {
            assert_eq!(HostPolicy::new([text]), Err(InvalidHost(text.to_owned())), "{text}");
        }
    }
}
