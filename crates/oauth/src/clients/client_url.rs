//! Which identifiers are URLs of documents (draft-ietf-oauth-client-id-metadata-document, section
//! 3).

use thiserror::Error;
use url::Url;

use crate::server::LONGEST_CLIENT_ID;

/// Why a `client_id` that looks like the URL of a document is none.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum ClientUrlError {
    #[error("it is longer than {LONGEST_CLIENT_ID} characters")]
    TooLong,
    #[error("it is not a URL")]
    NotAUrl,
    #[error("it has a user name or password")]
    UserInfo,
    #[error("it has a fragment")]
    Fragment,
    #[error("it has no path")]
    NoPath,
    #[error("it is not written in the one form that such a URL has, which is {0}")]
    OtherForm(&'static str),
}

/// Whether an identifier is meant as the URL of a document. Those that are made here are not.
pub(super) fn is_meant(id: &str) -> bool {
    id.starts_with("https://")
}

/// Reads such an identifier. It is compared as text from here on, so that it may be written in one
/// way only: as a browser would write it.
pub(super) fn parse(id: &str) -> Result<Url, ClientUrlError> {
    if id.len() > LONGEST_CLIENT_ID {
        return Err(ClientUrlError::TooLong);
    }
    let url = Url::parse(id).map_err(|_| ClientUrlError::NotAUrl)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ClientUrlError::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(ClientUrlError::Fragment);
    }
    if url.path() == "/" {
        return Err(ClientUrlError::NoPath);
    }
    // Dot segments, whichever way they are written, are gone from what was parsed.
    if url.as_str() != id {
        return Err(ClientUrlError::OtherForm(
            "without dot segments and default port, with a host in small letters",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_of_documents_are_read() {
        for id in [
            "https://client.example/metadata.json",
            "https://client.example:8443/oauth/client",
            "https://client.example/a/",
            "https://client.example/metadata?v=2",
            "https://client.example/.well-known/client",
            "https://client.example/a..b/%7Ec",
            "https://xn--e1awd7f.example/x",
            "https://localhost:8443/client.json",
        ] {
            assert_eq!(parse(id).map(String::from).as_deref(), Ok(id));
        }
    }

    #[test]
    fn others_are_not() {
        use ClientUrlError as E;
        let other =
            |id| assert!(matches!(parse(id), Err(E::OtherForm(_))), "{id}: {:?}", parse(id));
        for (id, error) in [
            ("https://", E::NotAUrl),
            ("https://client.example", E::NoPath),
            ("https://client.example/", E::NoPath),
            ("https://client.example?a=b", E::NoPath),
            ("https://client.example/..", E::NoPath),
            ("https://client.example/a/..", E::NoPath),
            ("https://client.example/a#", E::Fragment),
            ("https://client.example/a#b", E::Fragment),
            ("https://user@client.example/a", E::UserInfo),
            ("https://user:password@client.example/a", E::UserInfo),
            ("https://good.example@evil.example/a", E::UserInfo),
            ("https://client.example:99999/a", E::NotAUrl),
            ("https://[::1/a", E::NotAUrl),
        ] {
            assert_eq!(parse(id), Err(error), "{id}");
        }
        for id in [
            "https://client.example/a/../b",
            "https://client.example/a/./b",
            "https://client.example/a/%2e%2E/b",
            "https://client.example/a/.%2e/b",
            "https://client.example/a\\..\\b",
            "https://client.example\\a",
            "https:///client.example/a",
            "https://Client.example/a",
            "https://client.example:443/a",
            "https://client.example:/a",
            "https://@client.example/a",
            "https://client.example/a b",
            "https://client.example/\u{e9}",
            "https://\u{e9}.example/a",
            "https://client.example/a\n",
            "https://client.example/a ",
            "https://127.1/a",
            "https://0x7f.0.0.1/a",
            "https://[0:0:0:0:0:0:0:1]/a",
        ] {
            other(id);
        }
        let long = format!("https://client.example/{}", "a".repeat(LONGEST_CLIENT_ID));
        assert_eq!(parse(&long), Err(E::TooLong));
    }

    #[test]
    fn what_is_registered_here_is_never_taken_for_one() {
        for id in
            ["", "c", "HTTPS://client.example/a", "http://client.example/a", "urn:x", "https:a"]
        {
            assert!(!is_meant(id), "{id}");
        }
    }

    proptest! {
        #[test]
        fn one_that_is_read_names_one_document(id in "https://[-a-zA-Z0-9.:@%/?#\\\\ ]{0,40}") {
            if let Ok(url) = parse(&id) {
                prop_assert_eq!(url.as_str(), &id);
                prop_assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
                let mut segments = url.path_segments().unwrap();
                prop_assert!(segments.all(|one| one != "." && one != ".."));
            }
        }
    }
}
