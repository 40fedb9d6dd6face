//! The paths of requests.

use http::{Uri, uri::PathAndQuery};

/// Takes the slashes from the end of a path, and all but one from its beginning. A slash at the end
/// means nothing: people add one to a URL, and some clients say no more of a 404 than that there is
/// one.
pub(super) fn trim(uri: &mut Uri) {
    let path = uri.path();
    if !(path.ends_with('/') || path.starts_with("//")) || path == "/" {
        return;
    }
    let mut trimmed = format!("/{}", path.trim_matches('/'));
    if let Some(query) = uri.query() {
        trimmed.push('?');
        trimmed.push_str(query);
    }
    let Ok(trimmed) = PathAndQuery::try_from(trimmed) else { return };
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = Some(trimmed);
    // What had a path before has one still, and nothing else was changed.
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_means_nothing() {
        for (asked, meant) in [
            ("/mcp", "/mcp"),
            ("/mcp/", "/mcp"),
            ("/mcp//?a=b/", "/mcp?a=b/"),
            ("//mcp", "/mcp"),
            ("/", "/"),
            ("//", "/"),
            ("/a/b/", "/a/b"),
            ("http://localhost:1/mcp/", "http://localhost:1/mcp"),
            ("*", "*"),
        ] {
            let mut uri: Uri = asked.parse().unwrap();
            trim(&mut uri);
            assert_eq!(uri.to_string(), meant, "{asked}");
        }
    }
}
