//! Where a browser may be sent back to.
//!
//! A registered URI is compared as text. The one exception is the port of a loopback host: a native
//! app gets another one from the system each time (RFC 8252, section 7.3; OAuth 2.1, section
//! 8.4.2). `localhost` counts as one, since widely used clients register it without a port.

use thiserror::Error;
use url::Url;

const LONGEST: usize = 2048;
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// What an answer says (RFC 6749, section 4.1.2; RFC 9207, section 2).
const RESPONSE_PARAMETERS: [&str; 6] =
    ["code", "state", "iss", "error", "error_description", "error_uri"];

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RedirectUriError {
    /// It is longer than anybody needs.
    #[error("it is longer than 2048 characters")]
    TooLong,
    /// It has spaces, control characters or others outside ASCII.
    #[error("it has characters that a URI cannot have")]
    Characters,
    /// It is not a URI.
    #[error("it is not an absolute URI")]
    NotAUri,
    /// It has a fragment (RFC 6749, section 3.1.2).
    #[error("it has a fragment")]
    Fragment,
    /// It has a user name or password, which serves to disguise the host.
    #[error("it has a user name or password")]
    UserInfo,
    /// Its query has a parameter of ours, so that an answer would have it twice. Whoever reads the
    /// first one takes the answer for that of another server: it would defeat `iss` (RFC 9207).
    #[error("its query has a parameter of the response, like code, state or iss")]
    ResponseParameter,
    /// It is unencrypted and leaves the machine.
    #[error("it uses http with a host other than localhost, 127.0.0.1 or [::1]")]
    Unencrypted,
    /// Its scheme is not one of a native app: it could be one that runs code, like `javascript:`.
    #[error("its scheme is neither https nor one that belongs to an app, like com.example.app")]
    Scheme,
}

/// Checks a redirect URI that a client wants to register.
pub(crate) fn check(text: &str, app_schemes: &[String]) -> Result<(), RedirectUriError> {
    if text.len() > LONGEST {
        return Err(RedirectUriError::TooLong);
    }
    // Browsers drop some characters and read `\` as `/`: then the host is not what it seems.
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte)) {
        return Err(RedirectUriError::Characters);
    }
    let url = Url::parse(text).map_err(|_| RedirectUriError::NotAUri)?;
    if text.contains('#') {
        return Err(RedirectUriError::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RedirectUriError::UserInfo);
    }
    if url.query_pairs().any(|(name, _)| RESPONSE_PARAMETERS.contains(&&*name)) {
        return Err(RedirectUriError::ResponseParameter);
    }
    match url.scheme() {
        "https" if text.starts_with("https://") => Ok(()),
        "http" if loopback(text).is_some() => Ok(()),
        "http" => Err(RedirectUriError::Unencrypted),
        scheme if belongs_to_an_app(scheme, app_schemes) => Ok(()),
        _ => Err(RedirectUriError::Scheme),
    }
}

/// Whether a URI in a request is the registered one.
pub(crate) fn permits(registered: &str, presented: &str) -> bool {
    registered == presented
        || loopback(registered).is_some_and(|registered| loopback(presented) == Some(registered))
}

/// Adds response parameters, leaving the URI itself as it is.
pub(crate) fn with_params(uri: &str, params: &[(&str, &str)]) -> String {
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("{uri}{separator}{query}")
}

/// Where the URI leads, in the words of the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A site.
    Host(String),
    /// Some program on the user's own machine, it cannot be told which.
    ThisComputer(String),
    /// An app that claims this scheme.
    App(String),
}

pub(crate) fn destination(uri: &str) -> Destination {
    let Ok(url) = Url::parse(uri) else { return Destination::App(uri.to_owned()) };
    let host = || {
        let host = url.host_str().unwrap_or_default();
        url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    };
    match url.scheme() {
        "http" => Destination::ThisComputer(host()),
        "https" => Destination::Host(host()),
        scheme => Destination::App(scheme.to_owned()),
    }
}

/// Whether a host, with or without a port, is the machine that asks.
pub(crate) fn is_loopback(host: &str) -> bool {
    LOOPBACK.into_iter().any(|loopback| {
        host.strip_prefix(loopback).is_some_and(|rest| rest.is_empty() || is_port(rest))
    })
}

/// Host and what follows the port, of an `http` URI of a loopback host.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = LOOPBACK.into_iter().find(|host| {
        authority.strip_prefix(host).is_some_and(|port| port.is_empty() || is_port(port))
    })?;
    Some((host, path))
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// RFC 8252, section 7.1: apps use a domain of theirs in reverse. The well-known ones that do not
/// are listed.
fn belongs_to_an_app(scheme: &str, listed: &[String]) -> bool {
    let is_domain = || {
        let mut labels = scheme.split('.');
        labels.clone().count() >= 2 && labels.all(|label| !label.is_empty())
    };
    listed.iter().any(|listed| listed == scheme) || is_domain()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checked(uri: &str) -> Result<(), RedirectUriError> {
        check(uri, &["cursor".into(), "vscode-insiders".into()])
    }

    #[test]
    fn safe_ones_are_registered() {
        for uri in [
            "https://client.example",
            "https://client.example/callback?x=1",
            "https://client.example/callback?issuer=a&codes=b&x=code",
            "https://192.0.2.1:8443/cb",
            "http://localhost/callback",
            "http://localhost:33418/",
            "http://127.0.0.1:8080",
            "http://[::1]:1/cb",
            "cursor://anysphere.cursor-retrieval/oauth/callback",
            "vscode-insiders://vscode.github-authentication/did-authenticate",
            "com.example.app:/oauth2redirect",
            "com.example.app://callback",
        ] {
            assert_eq!(checked(uri), Ok(()), "{uri}");
        }
    }

    #[test]
    fn dangerous_ones_are_not() {
        use RedirectUriError as E;
        for (uri, error) in [
            ("", E::NotAUri),
            ("/callback", E::NotAUri),
            ("client.example/callback", E::NotAUri),
            ("https://", E::NotAUri),
            ("https:client.example", E::Scheme),
            ("https://client.example/#", E::Fragment),
            ("http://localhost/cb#a=b", E::Fragment),
            ("https://good.example@evil.example/", E::UserInfo),
            ("https://:pw@evil.example/", E::UserInfo),
            ("https://client.example/?iss=https://other.example", E::ResponseParameter),
            ("https://client.example/?a&%69ss=x", E::ResponseParameter),
            ("http://localhost/?code=x", E::ResponseParameter),
            ("cursor://a/b?state=", E::ResponseParameter),
            ("com.example.app:/cb?error", E::ResponseParameter),
            ("http://client.example/callback", E::Unencrypted),
            ("http://localhost.evil.example/", E::Unencrypted),
            ("http://localhost:80:80/", E::NotAUri),
            ("http://127.0.0.2/", E::Unencrypted),
            ("http://127.1/", E::Unencrypted),
            ("http://2130706433/", E::Unencrypted),
            ("http://[::ffff:127.0.0.1]/", E::Unencrypted),
            ("http://localhost:0/", E::Unencrypted),
            ("HTTP://localhost/", E::Unencrypted),
            ("https:\\\\client.example", E::Characters),
            ("http://localhost\\@evil.example/", E::Characters),
            ("https://client.example/a b", E::Characters),
            ("https://client.example/\u{e9}", E::Characters),
            ("https://client.example/\r\nSet-Cookie:a", E::Characters),
            ("javascript:alert(1)", E::Scheme),
            ("JavaScript:alert(1)", E::Scheme),
            ("java\tscript:alert(1)", E::Characters),
            ("\u{1}javascript:alert(1)", E::Characters),
            ("data:text/html,x", E::Scheme),
            ("vbscript:x", E::Scheme),
            ("file:///etc/passwd", E::Scheme),
            ("blob:https://client.example/x", E::Scheme),
            ("about:blank", E::Scheme),
            ("ftp://client.example", E::Scheme),
            ("ws://client.example", E::Scheme),
            ("unknown-app://cb", E::Scheme),
            ("a.:/cb", E::Scheme),
        ] {
            assert_eq!(checked(uri), Err(error), "{uri}");
        }
        let long = format!("https://client.example/{}", "a".repeat(2048));
        assert_eq!(checked(&long), Err(E::TooLong));
    }

    #[test]
    fn a_loopback_port_may_differ() {
        for (registered, presented) in [
            ("http://localhost/callback", "http://localhost:51234/callback"),
            ("http://localhost:1/callback", "http://localhost/callback"),
            ("http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"),
            ("http://[::1]/?a=b", "http://[::1]:8080/?a=b"),
            ("http://127.0.0.1", "http://127.0.0.1:99"),
            ("https://client.example/cb", "https://client.example/cb"),
        ] {
            assert!(permits(registered, presented), "{registered} {presented}");
        }
    }

    #[test]
    fn nothing_else_may() {
        for (registered, presented) in [
            ("http://localhost/callback", "http://127.0.0.1/callback"),
            ("http://localhost/callback", "http://localhost/callback/"),
            ("http://localhost/callback", "http://localhost/Callback"),
            ("http://localhost/callback", "http://localhost/callback?a"),
            ("http://localhost/callback", "http://localhost:/callback"),
            ("http://localhost/callback", "http://localhost:0/callback"),
            ("http://localhost/callback", "http://localhost:65536/callback"),
            ("http://localhost/callback", "http://localhost:8 0/callback"),
            ("http://localhost/callback", "http://localhost:80@evil.example/callback"),
            ("http://localhost/callback", "http://localhost.evil.example/callback"),
            ("http://localhost/callback", "http://user@localhost/callback"),
            ("http://localhost/callback", "http://localhost\\@evil.example/callback"),
            ("http://localhost/callback", "https://localhost/callback"),
            ("http://localhost/callback", "http://LOCALHOST/callback"),
            ("http://localhost/callback", "http://localhost/x/../callback"),
            ("https://client.example/cb", "https://client.example:8443/cb"),
            ("https://client.example/cb", "https://client.example:443/cb"),
            ("https://client.example/cb", "https://CLIENT.example/cb"),
            ("https://client.example/cb", "https://client.example/cb/../evil"),
            ("com.example.app:/cb", "com.example.app:/cb2"),
        ] {
            assert!(!permits(registered, presented), "{registered} {presented}");
        }
    }

    #[test]
    fn parameters_are_added_to_what_is_there() {
        for (uri, with) in [
            ("https://a.example", "https://a.example?code=a%26b+c"),
            ("https://a.example/?", "https://a.example/?code=a%26b+c"),
            ("https://a.example/?x=%20y", "https://a.example/?x=%20y&code=a%26b+c"),
            ("com.example.app:/cb", "com.example.app:/cb?code=a%26b+c"),
        ] {
            assert_eq!(with_params(uri, &[("code", "a&b c")]), with);
        }
    }

    #[test]
    fn the_user_is_told_where_it_leads() {
        for (uri, told) in [
            ("https://client.example/cb", Destination::Host("client.example".into())),
            (
                "https://xn--e1awd7f.example:8443/",
                Destination::Host("xn--e1awd7f.example:8443".into()),
            ),
            ("http://[::1]:7/cb", Destination::ThisComputer("[::1]:7".into())),
            ("http://localhost/cb", Destination::ThisComputer("localhost".into())),
            ("cursor://a/b", Destination::App("cursor".into())),
        ] {
            assert_eq!(destination(uri), told);
        }
    }

    proptest! {
        #[test]
        fn a_presented_uri_leads_where_the_registered_one_does(
            port in proptest::option::of(1_u16..),
            tail in "[/?][a-z0-9/?=&.@:%-]{0,20}",
            noise in "[:@/\\\\?.a-z0-9]{0,6}",
        ) {
            let registered = format!("http://localhost{tail}");
            prop_assume!(checked(&registered).is_ok());
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let honest = format!("http://localhost{port}{tail}");
            prop_assert!(permits(&registered, &honest));
            let odd = format!("http://localhost{noise}{port}{tail}");
            if permits(&registered, &odd) {
                let url = Url::parse(&odd).unwrap();
                let expected = Url::parse(&registered).unwrap();
                prop_assert_eq!(url.host_str(), Some("localhost"));
                prop_assert_eq!(url.username(), "");
                prop_assert_eq!(url.path(), expected.path());
                prop_assert_eq!(url.query(), expected.query());
            }
        }

        #[test]
        fn whatever_is_registered_is_safe_in_a_header(uri in ".{0,60}") {
            if checked(&uri).is_ok() {
                let scheme = Url::parse(&uri).unwrap().scheme().to_owned();
                prop_assert!(!["javascript", "data", "file", "vbscript"].contains(&&*scheme));
                prop_assert!(axum::http::HeaderValue::from_str(&uri).is_ok());
            }
        }
    }
}
