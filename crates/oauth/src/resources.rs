//! Which resources tokens are issued for (RFC 8707).

use thiserror::Error;
use url::Url;

/// The resources an authorization server issues tokens for.
#[derive(Clone, Debug)]
pub struct Resources {
    listed: Vec<String>,
    default: String,
}

impl Resources {
    /// Resource identifiers, and the one that a client gets that names none.
    pub fn new(listed: Vec<String>, default: String) -> Self {
        Self { listed, default }
    }

    /// The identifier, as it is listed, of the resource that a client asks for.
    pub fn select(&self, asked: Option<&str>) -> Result<&str, UnknownResource> {
        let Some(asked) = asked else { return Ok(&self.default) };
        self.listed
            .iter()
            .find(|listed| same_resource(listed, asked))
            .map(String::as_str)
            .ok_or(UnknownResource)
    }
}

/// A resource that tokens are not issued for.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("this is not a resource that tokens are issued for")]
pub struct UnknownResource;

/// Whether two identifiers name one resource: the case of scheme and host, a default port and a
/// slash at the end make no difference, because clients rebuild the URL in their own ways.
pub fn same_resource(one: &str, other: &str) -> bool {
    one == other || canonical(one).is_some_and(|one| canonical(other) == Some(one))
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
        Resources::new(listed.into(), "http://localhost:3232/mcp".into())
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
    fn default_ports_and_the_case_of_hosts_do_not_matter() {
        assert!(same_resource("https://a.example/mcp", "https://A.EXAMPLE:443/mcp/"));
        assert!(!same_resource("https://a.example/mcp", "https://a.example:8443/mcp"));
        assert!(!same_resource("https://a.example/mcp?x", "https://a.example/mcp"));
    }
}
