//! Reads what a client says of itself (RFC 7591, section 2): to `/register`, in a document of its
//! own, or in the words of an operator.

mod error;

use mcp_everything_store::{
    Timestamp,
    oauth::{ClientAuth, ClientKeys, ClientRecord},
};
use serde_json::{Map, Value};
use url::Url;

pub(crate) use self::error::MetadataError;
use crate::{ScopeSet, jose::KeySet, redirect_uri, server::GrantType};

const MOST_REDIRECT_URIS: usize = 10;
const LONGEST_NAME: usize = 120;
const LONGEST_URL: usize = 2048;
const LONGEST_SCOPE: usize = 1000;
const LONGEST_OTHER: usize = 255;

pub(crate) struct Metadata {
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) grant_types: Vec<GrantType>,
    pub(crate) scope: ScopeSet,
    pub(crate) name: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) application_type: Option<String>,
    pub(crate) software_id: Option<String>,
    pub(crate) software_version: Option<String>,
    pub(crate) dpop_bound_access_tokens: bool,
}

pub(crate) enum AuthMethod {
    None,
    Basic,
    Post,
    PrivateKeyJwt(ClientKeys),
}

/// What depends on who says it.
pub(crate) struct Terms<'a> {
    /// Schemes of native apps that a browser may be sent to.
    pub(crate) app_schemes: &'a [String],
    /// The most that a client may get for itself, where no user is asked. `None`: it gets nothing.
    pub(crate) client_credentials: Option<ScopeSet>,
    /// Whether it may bring assertions of identity providers, which decide about each token.
    pub(crate) assertions: bool,
    /// The `token_endpoint_auth_method` of one that names none.
    pub(crate) default_method: &'static str,
}

impl Metadata {
    pub(crate) fn read(
        fields: &Fields,
        terms: &Terms<'_>,
    ) -> Result<(Self, AuthMethod), MetadataError> {
        let auth_method = auth_method(fields, terms)?;
        let grant_types = grant_types(fields, terms)?;
        // Only the user's consent needs a browser, and a way back for it.
        let with_user = grant_types.contains(&GrantType::AuthorizationCode);
        let for_itself = grant_types.contains(&GrantType::ClientCredentials);
        if for_itself && matches!(auth_method, AuthMethod::None) {
            return Err(MetadataError::PublicMachine);
        }
        let response_types = fields.list("response_types")?;
        if with_user && response_types.is_some_and(|types| !types.contains(&"code")) {
            return Err(MetadataError::ResponseTypes);
        }
        let redirect_uris =
            if with_user { redirect_uris(fields, terms.app_schemes)? } else { Vec::new() };
        let application_type = application_type(fields)?;
        if application_type.as_deref() == Some("web") {
            on_the_web(&redirect_uris)?;
        }
        let scope = fields.text("scope", LONGEST_SCOPE)?;
        // No scope is refused: clients copy what other servers offer.
        let mut scope = scope.as_deref().map(ScopeSet::parse_known).unwrap_or_default();
        if let Some(most) = terms.client_credentials.filter(|_| for_itself) {
            scope = scope.intersection(most);
        }
        let metadata = Self {
            redirect_uris,
            grant_types,
            scope,
            name: name(fields)?,
            uri: url(fields, "client_uri")?,
            application_type,
            software_id: fields.text("software_id", LONGEST_OTHER)?,
            software_version: fields.text("software_version", LONGEST_OTHER)?,
            dpop_bound_access_tokens: fields.switch("dpop_bound_access_tokens")?,
        };
        Ok((metadata, auth_method))
    }
}

impl Metadata {
    /// What is kept of it, for a client that authenticates so.
    pub(crate) fn into_record(
        self,
        id: String,
        auth: ClientAuth,
        registered_at: Timestamp,
    ) -> ClientRecord {
        let grant_types = self.grant_types.into_iter().map(|one| one.as_str().to_owned());
        ClientRecord {
            id,
            name: self.name,
            uri: self.uri,
            redirect_uris: self.redirect_uris,
            auth,
            grant_types: grant_types.collect(),
            scope: (!self.scope.is_empty()).then(|| self.scope.to_string()),
            application_type: self.application_type,
            software_id: self.software_id,
            software_version: self.software_version,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            registered_at,
        }
    }
}

/// A JSON object whose members are read one by one, so that an error can name the member.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) const fn new(object: Map<String, Value>) -> Self {
        Self(object)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is such a member; `null` is none.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn str(&self, name: &'static str) -> Result<Option<&str>, MetadataError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(MetadataError::NotText(name)),
        }
    }

    fn text(&self, name: &'static str, longest: usize) -> Result<Option<String>, MetadataError> {
        let Some(text) = self.str(name)? else { return Ok(None) };
        if text.chars().count() > longest {
            return Err(MetadataError::TooLong(name));
        }
        if text.chars().any(is_invisible) {
            return Err(MetadataError::ControlCharacters(name));
        }
        Ok(Some(text.to_owned()))
    }

    /// `false` where nothing is said.
    fn switch(&self, name: &'static str) -> Result<bool, MetadataError> {
        match self.get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or(MetadataError::NotASwitch(name)),
        }
    }

    fn list(&self, name: &'static str) -> Result<Option<Vec<&str>>, MetadataError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let items = value.as_array().ok_or(MetadataError::NotAList(name))?;
        let texts: Option<_> = items.iter().map(Value::as_str).collect();
        texts.map(Some).ok_or(MetadataError::NotAList(name))
    }
}

/// Control characters, and those that change the direction of the text around them: with them a
/// name could rearrange the consent page.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

fn redirect_uris(fields: &Fields, app_schemes: &[String]) -> Result<Vec<String>, MetadataError> {
    let uris = fields.list("redirect_uris")?.unwrap_or_default();
    if uris.is_empty() {
        return Err(MetadataError::NoRedirectUri);
    }
    if uris.len() > MOST_REDIRECT_URIS {
        return Err(MetadataError::TooLong("redirect_uris"));
    }
    for (index, uri) in uris.iter().enumerate() {
        redirect_uri::check(uri, app_schemes)
            .map_err(|reason| MetadataError::RedirectUri { number: index + 1, reason })?;
    }
    Ok(uris.into_iter().map(String::from).collect())
}

fn auth_method(fields: &Fields, terms: &Terms<'_>) -> Result<AuthMethod, MetadataError> {
    match fields.str("token_endpoint_auth_method")?.unwrap_or(terms.default_method) {
        "none" => Ok(AuthMethod::None),
        "client_secret_post" => Ok(AuthMethod::Post),
        "private_key_jwt" => Ok(AuthMethod::PrivateKeyJwt(keys(fields)?)),
        "client_secret_basic" => Ok(AuthMethod::Basic),
        _ => Err(MetadataError::AuthMethod),
    }
}

/// Where the public half of a client's key is.
fn keys(fields: &Fields) -> Result<ClientKeys, MetadataError> {
    match (fields.get("jwks"), fields.text("jwks_uri", LONGEST_URL)?) {
        (Some(set), None) => {
            KeySet::parse(set)?;
            Ok(ClientKeys::Jwks(set.clone()))
        }
        (None, Some(uri)) => {
            let is_web = Url::parse(&uri)
                .is_ok_and(|url| url.scheme() == "https" && url.fragment().is_none());
            if is_web { Ok(ClientKeys::JwksUri(uri)) } else { Err(MetadataError::JwksUri) }
        }
        (None, None) | (Some(_), Some(_)) => Err(MetadataError::Keys),
    }
}

/// What is known of what is asked for. A client that does not say gets refresh tokens too: most
/// that leave it out want them.
fn grant_types(fields: &Fields, terms: &Terms<'_>) -> Result<Vec<GrantType>, MetadataError> {
    let known: Vec<_> = match fields.list("grant_types")? {
        None => vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        Some(asked) => asked.into_iter().filter_map(GrantType::parse).collect(),
    };
    let is_open = |grant_type: &GrantType| match grant_type {
        GrantType::AuthorizationCode | GrantType::RefreshToken => true,
        GrantType::ClientCredentials => terms.client_credentials.is_some(),
        GrantType::JwtBearer => terms.assertions,
    };
    let open = GrantType::ALL.into_iter().filter(|one| known.contains(one) && is_open(one));
    let open: Vec<_> = open.collect();
    // The others go on with what one of these began.
    if open.iter().all(|one| *one == GrantType::RefreshToken) {
        return Err(MetadataError::GrantTypes);
    }
    Ok(open)
}

fn name(fields: &Fields) -> Result<Option<String>, MetadataError> {
    let name = fields.text("client_name", LONGEST_NAME)?;
    Ok(name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()))
}

fn url(fields: &Fields, name: &'static str) -> Result<Option<String>, MetadataError> {
    let Some(text) = fields.text(name, LONGEST_URL)? else { return Ok(None) };
    let is_web = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    if is_web { Ok(Some(text)) } else { Err(MetadataError::NotAUrl(name)) }
}

/// OpenID Connect Registration, section 2. What it says of native apps holds for all redirect URIs
/// that are taken here; `https` may be one that an app has claimed (RFC 8252, section 7.2).
fn application_type(fields: &Fields) -> Result<Option<String>, MetadataError> {
    match fields.str("application_type")? {
        None => Ok(None),
        Some(kind @ ("native" | "web")) => Ok(Some(kind.to_owned())),
        Some(_) => Err(MetadataError::ApplicationType),
    }
}

/// The same: a web application is not on the user's own machine.
fn on_the_web(redirect_uris: &[String]) -> Result<(), MetadataError> {
    let elsewhere = |uri: &String| match redirect_uri::destination(uri) {
        redirect_uri::Destination::Host(host) => !redirect_uri::is_loopback(&host),
        redirect_uri::Destination::ThisComputer(_) | redirect_uri::Destination::App(_) => false,
    };
    match redirect_uris.iter().position(|uri| !elsewhere(uri)) {
        None => Ok(()),
        Some(index) => Err(MetadataError::NotOnTheWeb { number: index + 1 }),
    }
}
