//! Finding an authorization server by its metadata (RFC 8414 section 3; `OpenID` Connect Discovery
//! section 4).

use std::fmt;

use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::claims::Claims;
use crate::{
    BaseUri,
    http::{Http, HttpError},
};

/// What is used of a server's metadata, and all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerMetadata {
    pub(super) introspection_endpoint: Option<String>,
    pub(super) introspection_auth_methods: Vec<String>,
    pub(super) registration_endpoint: Option<String>,
    pub(super) jwks_uri: Option<String>,
    /// As it came.
    pub(super) document: Value,
    /// As it came from where clients look for `OpenID`'s, if it is there as well and says more.
    pub(super) openid: Option<Value>,
}

/// Why a server is not found: what is wrong at each place where its metadata may be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", Joined(.0))]
pub(super) struct NotFound(Vec<(String, Unusable)>);

/// What is wrong with a document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Unusable {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("it is no metadata")]
    NoMetadata,
    #[error(
        "its issuer is {0}, and the URL in AUTH_SERVER_URL or ENTERPRISE_ISSUERS must be the same, character by character"
    )]
    OtherIssuer(String),
    #[error("its {0} is no https URL")]
    InClear(&'static str),
}

struct Joined<'a>(&'a [(String, Unusable)]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (url, why)) in self.0.iter().enumerate() {
            let before = if index > 0 { "; " } else { "" };
            write!(f, "{before}{url}: {why}")?;
        }
        Ok(())
    }
}

/// Where an issuer's metadata may be, in the order in which the MCP specification has clients look
/// ("Authorization Server Metadata Discovery").
fn places(issuer: &BaseUri) -> Vec<String> {
    let mut places = vec![
        issuer.well_known("oauth-authorization-server", ""),
        issuer.well_known("openid-configuration", ""),
    ];
    if !issuer.path().is_empty() {
        places.push(issuer.join("/.well-known/openid-configuration"));
    }
    places
}

/// The metadata of `issuer`.
pub(super) async fn discover(http: &Http, issuer: &BaseUri) -> Result<ServerMetadata, NotFound> {
    let mut tried = Vec::new();
    let mut places = places(issuer).into_iter();
    while let Some(place) = places.next() {
        match read(http, issuer, &place).await {
            Ok(metadata) if tried.is_empty() => {
                let openid = openid(http, issuer, places).await;
                return Ok(ServerMetadata { openid, ..metadata });
            }
            Ok(metadata) => return Ok(metadata),
            Err(why) => {
                // All places are on one server.
                let is_away = matches!(why, Unusable::Http(HttpError::Unreachable(_)));
                tried.push((place, why));
                if is_away {
                    break;
                }
            }
        }
    }
    Err(NotFound(tried))
}

async fn openid(
    http: &Http,
    issuer: &BaseUri,
    places: impl Iterator<Item = String>,
) -> Option<Value> {
    for place in places {
        if let Ok(metadata) = read(http, issuer, &place).await {
            return Some(metadata.document);
        }
    }
    None
}

async fn read(http: &Http, issuer: &BaseUri, place: &str) -> Result<ServerMetadata, Unusable> {
    let document = http.get(place).await?;
    let claims = Claims::new(document.clone()).ok_or(Unusable::NoMetadata)?;
    let text = |name| claims.text(name).map_err(|_| Unusable::NoMetadata);
    let named = text("issuer")?.ok_or(Unusable::NoMetadata)?;
    // RFC 8414, section 3.3: identical, or the document must not be used.
    if named != issuer.as_str() {
        return Err(Unusable::OtherIssuer(crate::events::loggable(named)));
    }
    let endpoint = |name: &'static str| match text(name)? {
        Some(url) if !is_fit(url, issuer) => Err(Unusable::InClear(name)),
        url => Ok(url.map(str::to_owned)),
    };
    let methods = claims.texts("introspection_endpoint_auth_methods_supported");
    Ok(ServerMetadata {
        introspection_endpoint: endpoint("introspection_endpoint")?,
        introspection_auth_methods: owned(methods.ok_or(Unusable::NoMetadata)?),
        registration_endpoint: endpoint("registration_endpoint")?,
        jwks_uri: endpoint("jwks_uri")?,
        document,
        openid: None,
    })
}

/// Whether tokens and keys may travel there: in clear only where the issuer itself is on loopback.
fn is_fit(url: &str, issuer: &BaseUri) -> bool {
    Url::parse(url).is_ok_and(|url| {
        url.has_host() && (url.scheme() == "https" || url.scheme() == "http" && !issuer.is_https())
    })
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_in_every_place() {
        let places = |issuer| places(&BaseUri::parse(issuer).unwrap());
        for issuer in ["https://a.test", "https://a.test/"] {
            assert_eq!(
                places(issuer),
                [
                    "https://a.test/.well-known/oauth-authorization-server",
                    "https://a.test/.well-known/openid-configuration",
                ]
            );
        }
        assert_eq!(
            places("https://a.test/t/1"),
            [
                "https://a.test/.well-known/oauth-authorization-server/t/1",
                "https://a.test/.well-known/openid-configuration/t/1",
                "https://a.test/t/1/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn nothing_secret_travels_in_clear() {
        let https = BaseUri::parse("https://a.test").unwrap();
        let http = BaseUri::parse("http://localhost:3001").unwrap();
        assert!(is_fit("https://keys.test/k", &https) && is_fit("http://localhost:1/k", &http));
        for url in ["http://a.test/k", "ftp://a.test/k", "/k", "", "https:"] {
            assert!(!is_fit(url, &https), "{url}");
        }
    }
}
