//! Which resources tokens are issued for (RFC 8707).

use thiserror::Error;
use url::{Host, Url};

/// The resources an authorization server issues tokens for.
#[derive(Clone, Debug)]
pub struct Resources {
    listed: Vec<String>,
    default: String,
    any_loopback: bool,
}

impl Resources {
    /// Resource identifiers. A client that names none gets `preferred` if it is one of them, and
    /// else the first.
    pub fn new(listed: Vec<String>, preferred: &str) -> Result<Self, NoResource> {
        let default = listed
            .iter()
            .find(|listed| same_resource(listed, preferred))
            .or_else(|| listed.first())
            .ok_or(NoResource)?
            .clone();
        Ok(Self { listed, default, any_loopback: false })
    }

    /// The default, and others.
    pub(crate) fn with_default(default: String, others: impl IntoIterator<Item = String>) -> Self {
        let listed = [default.clone()].into_iter().chain(others).collect();
        Self { listed, default, any_loopback: false }
    }

    /// Whatever is on the machine of whoever asks, for development: an authorization server that is
    /// started before anybody knows which servers will trust it. A client that names none gets
    /// `default`.
    pub fn any_loopback(default: impl Into<String>) -> Self {
        let default = default.into();
        Self { listed: vec![default.clone()], default, any_loopback: true }
    }

    /// These and one more.
    #[must_use]
    pub fn and(mut self, resource: impl Into<String>) -> Self {
        self.listed.push(resource.into());
        self
    }

    /// The identifier, as it is listed, of the resource that a client asks for.
    pub fn select<'a>(&'a self, asked: Option<&'a str>) -> Result<&'a str, UnknownResource> {
        let Some(asked) = asked else { return Ok(&self.default) };
        let listed = self.listed.iter().find(|listed| same_resource(listed, asked));
        match listed {
            Some(listed) => Ok(listed),
            None if self.any_loopback && is_loopback(asked) => Ok(asked),
            None => Err(UnknownResource),
        }
    }
}

/// No resource was listed, so there is nothing to issue tokens for.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("there is no resource to issue tokens for")]
pub struct NoResource;

/// A resource that tokens are not issued for.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("this is not a resource that tokens are issued for")]
pub struct UnknownResource;

/// Whether two identifiers name one resource: the case of scheme and host, a default port and a
/// slash at the end make no difference, because clients rebuild the URL in their own ways.
pub fn same_resource(one: &str, other: &str) -> bool {
    one == other || canonical(one).is_some_and(|one| canonical(other) == Some(one))
}

/// Whether this is an identifier (RFC 8707, section 2) of something on loopback.
fn is_loopback(text: &str) -> bool {
    let Some(url) = canonical(text).and_then(|text| Url::parse(&text).ok()) else { return false };
    let host = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_plain =
        url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    host && is_plain && matches!(url.scheme(), "http" | "https")
}

fn canonical(text: &str) -> Option<String> {
    // `Url` would drop spaces and line breaks without a word.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    Some(match url.query() {
        None => url.as_str().trim_end_matches('/').to_owned(),
        Some(_) => url.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources() -> Resources {
        let listed = ["http://localhost:3232", "http://localhost:3232/mcp"].map(String::from);
        Resources::new(listed.into(), "http://localhost:3232/mcp").unwrap()
    }

    #[test]
    fn the_default_is_one_of_those_listed() {
        let (mcp, other) = ("http://localhost:3232/mcp", "https://other.example/mcp");
        for (listed, default) in [
            (&[other, mcp][..], Some(mcp)),
            (&[other, "HTTP://LocalHost:3232/mcp/"], Some("HTTP://LocalHost:3232/mcp/")),
            (&[other, "http://localhost:3232"], Some(other)),
            (&[], None),
        ] {
            let listed = listed.iter().map(|&one| one.to_owned()).collect();
            let resources = Resources::new(listed, mcp).ok();
            let selected = resources.as_ref().map(|all| all.select(None).unwrap());
            assert_eq!(selected, default);
        }
        let usual = Resources::with_default(mcp.into(), [other.to_owned()]);
        assert_eq!(usual.select(None), Ok(mcp));
        assert_eq!(usual.select(Some(mcp)), Ok(mcp));
        assert_eq!(usual.select(Some(other)), Ok(other));
    }

    #[test]
    fn the_listed_spelling_is_what_tokens_carry() {
        for (asked, selected) in [
            (None, "http://localhost:3232/mcp"),
            (Some("http://localhost:3232/mcp"), "http://localhost:3232/mcp"),
            (Some("http://localhost:3232/mcp/"), "http://localhost:3232/mcp"),
            (Some("HTTP://LocalHost:3232/mcp"), "http://localhost:3232/mcp"),
            (Some("http://localhost:3232"), "http://localhost:3232"),
            (Some("http://localhost:3232/"), "http://localhost:3232"),
        ] {
            assert_eq!(resources().select(asked), Ok(selected), "{asked:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for asked in [
            "",
            "mcp",
            "http://localhost/mcp",
            "http://localhost:3232/MCP",
            "http://localhost:3232/mcp/x",
            "http://localhost:3232/mcp?a=b",
            "http://localhost:3232/mcp#a",
            "http://localhost:3232/mcp#",
            "http://localhost:3232/mcp\\",
            "http://localhost:3232/sse",
            "https://localhost:3232/mcp",
            "http://localhost:3232@evil.example/mcp",
            "http://user@localhost:3232/mcp",
            "http://localhost:3232\\@evil.example/mcp",
            " http://localhost:3232/mcp",
            "http://localhost:3232/\nmcp",
        ] {
            assert_eq!(resources().select(Some(asked)), Err(UnknownResource), "{asked}");
        }
    }

    #[test]
    fn whatever_is_on_loopback_can_be_all_there_is() {
        let resources = Resources::any_loopback("http://localhost:3232/mcp");
        assert_eq!(resources.select(None), Ok("http://localhost:3232/mcp"));
        for asked in [
            "http://localhost:4000/mcp",
            "http://127.0.0.1:1",
            "http://127.9.9.9/x?a=b",
            "https://[::1]:8443/sse/",
            "HTTP://LOCALHOST:3232",
        ] {
            assert_eq!(resources.select(Some(asked)), Ok(asked));
        }
        assert_eq!(
            resources.select(Some("http://localhost:3232/mcp/")),
            Ok("http://localhost:3232/mcp")
        );
        for asked in [
            "",
            "localhost:3232",
            "http://localhost.example/mcp",
            "http://10.0.0.1/mcp",
            "http://localhost@evil.example/mcp",
            "http://user@localhost/mcp",
            "http://localhost/mcp#a",
            "ftp://localhost/mcp",
            "http://localhost\\@evil.example/mcp",
            "http://0.0.0.0/mcp",
            "http://localhost/\nmcp",
        ] {
            assert_eq!(resources.select(Some(asked)), Err(UnknownResource), "{asked}");
        }
    }

    #[test]
    fn default_ports_and_the_case_of_hosts_do_not_matter() {
        assert!(same_resource("https://a.example/mcp", "https://A.EXAMPLE:443/mcp/"));
        assert!(!same_resource("https://a.example/mcp", "https://a.example:8443/mcp"));
        assert!(!same_resource("https://a.example/mcp?x", "https://a.example/mcp"));
    }
}
