//! Reads what a client says of itself (RFC 7591, section 2).

use mcp_everything_store::oauth::ClientKeys;
use serde_json::{Map, Value};
use url::Url;

use super::RegisterError;
use crate::{Config, jose::KeySet, redirect_uri, server::token::GrantType};

const MOST_REDIRECT_URIS: usize = 10;
const LONGEST_NAME: usize = 120;
const LONGEST_URL: usize = 2048;
const LONGEST_SCOPE: usize = 1000;
const LONGEST_OTHER: usize = 255;

pub(super) struct Metadata {
    pub(super) redirect_uris: Vec<String>,
    pub(super) auth_method: AuthMethod,
    pub(super) grant_types: Vec<GrantType>,
    pub(super) scope: Option<String>,
    pub(super) name: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) application_type: Option<String>,
    pub(super) software_id: Option<String>,
    pub(super) software_version: Option<String>,
    pub(super) dpop_bound_access_tokens: bool,
}

pub(super) enum AuthMethod {
    None,
    Basic,
    Post,
    PrivateKeyJwt(ClientKeys),
}

impl Metadata {
    pub(super) fn read(body: &[u8], config: &Config) -> Result<Self, RegisterError> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(RegisterError::NotAnObject);
        };
        let fields = Fields(fields);
        let auth_method = auth_method(&fields)?;
        let grant_types = grant_types(&fields, config)?;
        // Only the user's consent needs a browser, and a way back for it.
        let with_user = grant_types.contains(&GrantType::AuthorizationCode);
        let for_itself = grant_types.contains(&GrantType::ClientCredentials);
        if for_itself && matches!(auth_method, AuthMethod::None) {
            return Err(RegisterError::PublicMachine);
        }
        let response_types = fields.list("response_types")?;
        if with_user && response_types.is_some_and(|types| !types.contains(&"code")) {
            return Err(RegisterError::ResponseTypes);
        }
        let redirect_uris =
            if with_user { redirect_uris(&fields, &config.app_schemes)? } else { Vec::new() };
        Ok(Self {
            redirect_uris,
            auth_method,
            grant_types,
            scope: fields.text("scope", LONGEST_SCOPE)?,
            name: name(&fields)?,
            uri: url(&fields, "client_uri")?,
            application_type: application_type(&fields)?,
            software_id: fields.text("software_id", LONGEST_OTHER)?,
            software_version: fields.text("software_version", LONGEST_OTHER)?,
            dpop_bound_access_tokens: fields.switch("dpop_bound_access_tokens")?,
        })
    }
}

/// A JSON object whose members are read one by one, so that an error can name the member.
struct Fields(Map<String, Value>);

impl Fields {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn str(&self, name: &'static str) -> Result<Option<&str>, RegisterError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(RegisterError::NotText(name)),
        }
    }

    fn text(&self, name: &'static str, longest: usize) -> Result<Option<String>, RegisterError> {
        let Some(text) = self.str(name)? else { return Ok(None) };
        if text.chars().count() > longest {
            return Err(RegisterError::TooLong(name));
        }
        if text.chars().any(is_invisible) {
            return Err(RegisterError::ControlCharacters(name));
        }
        Ok(Some(text.to_owned()))
    }

    /// `false` where nothing is said.
    fn switch(&self, name: &'static str) -> Result<bool, RegisterError> {
        match self.get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or(RegisterError::NotASwitch(name)),
        }
    }

    fn list(&self, name: &'static str) -> Result<Option<Vec<&str>>, RegisterError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let items = value.as_array().ok_or(RegisterError::NotAList(name))?;
        let texts: Option<_> = items.iter().map(Value::as_str).collect();
        texts.map(Some).ok_or(RegisterError::NotAList(name))
    }
}

/// Control characters, and those that change the direction of the text around them: with them a
/// name could rearrange the consent page.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

fn redirect_uris(fields: &Fields, app_schemes: &[String]) -> Result<Vec<String>, RegisterError> {
    let uris = fields.list("redirect_uris")?.unwrap_or_default();
    if uris.is_empty() {
        return Err(RegisterError::NoRedirectUri);
    }
    if uris.len() > MOST_REDIRECT_URIS {
        return Err(RegisterError::TooLong("redirect_uris"));
    }
    for (index, uri) in uris.iter().enumerate() {
        redirect_uri::check(uri, app_schemes)
            .map_err(|reason| RegisterError::RedirectUri { number: index + 1, reason })?;
    }
    Ok(uris.into_iter().map(String::from).collect())
}

fn auth_method(fields: &Fields) -> Result<AuthMethod, RegisterError> {
    match fields.str("token_endpoint_auth_method")? {
        Some("none") => Ok(AuthMethod::None),
        Some("client_secret_post") => Ok(AuthMethod::Post),
        Some("private_key_jwt") => Ok(AuthMethod::PrivateKeyJwt(keys(fields)?)),
        // The default of section 2.
        Some("client_secret_basic") | None => Ok(AuthMethod::Basic),
        Some(_) => Err(RegisterError::AuthMethod),
    }
}

/// Where the public half of a client's key is.
fn keys(fields: &Fields) -> Result<ClientKeys, RegisterError> {
    match (fields.get("jwks"), fields.text("jwks_uri", LONGEST_URL)?) {
        (Some(set), None) => {
            KeySet::parse(set)?;
            Ok(ClientKeys::Jwks(set.clone()))
        }
        (None, Some(uri)) => {
            let is_web = Url::parse(&uri)
                .is_ok_and(|url| url.scheme() == "https" && url.fragment().is_none());
            if is_web { Ok(ClientKeys::JwksUri(uri)) } else { Err(RegisterError::JwksUri) }
        }
        (None, None) | (Some(_), Some(_)) => Err(RegisterError::Keys),
    }
}

/// What is known of what is asked for. A client that does not say gets refresh tokens too: most
/// that leave it out want them.
fn grant_types(fields: &Fields, config: &Config) -> Result<Vec<GrantType>, RegisterError> {
    let known: Vec<_> = match fields.list("grant_types")? {
        None => vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        Some(asked) => asked.into_iter().filter_map(GrantType::parse).collect(),
    };
    let is_open = |grant_type: &GrantType| match grant_type {
        GrantType::AuthorizationCode | GrantType::RefreshToken => true,
        GrantType::ClientCredentials => config.open_client_credentials,
    };
    let open = GrantType::ALL.into_iter().filter(|one| known.contains(one) && is_open(one));
    let open: Vec<_> = open.collect();
    // The others go on with what one of these began.
    if open.iter().all(|one| *one == GrantType::RefreshToken) {
        return Err(RegisterError::GrantTypes);
    }
    Ok(open)
}

fn name(fields: &Fields) -> Result<Option<String>, RegisterError> {
    let name = fields.text("client_name", LONGEST_NAME)?;
    Ok(name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()))
}

fn url(fields: &Fields, name: &'static str) -> Result<Option<String>, RegisterError> {
    let Some(text) = fields.text(name, LONGEST_URL)? else { return Ok(None) };
    let is_web = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    if is_web { Ok(Some(text)) } else { Err(RegisterError::NotAUrl(name)) }
}

/// OpenID Connect Registration, section 2. Believed, and not held against the redirect URIs: those
/// are safe or not by themselves.
fn application_type(fields: &Fields) -> Result<Option<String>, RegisterError> {
    match fields.str("application_type")? {
        None => Ok(None),
        Some(kind @ ("native" | "web")) => Ok(Some(kind.to_owned())),
        Some(_) => Err(RegisterError::ApplicationType),
    }
}
