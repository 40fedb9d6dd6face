//! Clients whose identifier is the URL of a document about them
//! (draft-ietf-oauth-client-id-metadata-document).

use mcp_everything_store::oauth::{ClientAuth, ClientRecord, Document, DocumentKind};
use serde_json::Value;
use url::Url;

use super::{DocumentError, LookupError, client_url};
use crate::{
    AuthorizationServer, Config,
    client_metadata::{AuthMethod, Fields, Metadata, MetadataError, Terms},
    server::GrantType,
};

/// Whose Client ID Metadata Documents are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DocumentHosts {
    /// Nobody's: a URL is an identifier like any other.
    Nobody,
    /// Everybody's.
    #[default]
    Everybody,
    /// Those of these hosts, as a URL has them: in small letters, and without a port.
    Only(Vec<String>),
}

impl DocumentHosts {
    fn admit(&self, url: &Url) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Only(hosts) => hosts.iter().any(|host| Some(host.as_str()) == url.host_str()),
        }
    }
}

impl AuthorizationServer {
    /// Whether an identifier is the URL of a document.
    pub(super) fn describes_itself(&self, id: &str) -> bool {
        self.config.client_documents != DocumentHosts::Nobody && client_url::is_meant(id)
    }

    pub(super) async fn described(&self, id: &str) -> Result<ClientRecord, LookupError> {
        let url = client_url::parse(id).map_err(DocumentError::from)?;
        if !self.config.client_documents.admit(&url) {
            return Err(DocumentError::OtherHost.into());
        }
        // Read again each time, by the settings of this instance.
        let judge = |document: &Document| read(id, document, &self.config).map(drop);
        let suits = |kept: &Document| judge(kept).is_ok();
        let document = self.document(DocumentKind::Client, &url, suits, judge).await?;
        Ok(read(id, &document, &self.config)?)
    }
}

/// The rules of sections 4 and 8.2 of the draft, those of MCP on what there must be, and those
/// that registrations are held to.
fn read(id: &str, document: &Document, config: &Config) -> Result<ClientRecord, DocumentError> {
    let Ok(Value::Object(fields)) = serde_json::from_str(&document.text) else {
        return Err(DocumentError::NotAnObject);
    };
    let fields = Fields::new(fields);
    match fields.str("client_id")? {
        None => return Err(DocumentError::Missing("client_id")),
        Some(other) if other != id => return Err(DocumentError::OtherClientId),
        Some(_) => {}
    }
    for secret in ["client_secret", "client_secret_expires_at"] {
        if fields.has(secret) {
            return Err(DocumentError::Secret(secret));
        }
    }
    let terms = Terms {
        app_schemes: &config.app_schemes,
        client_credentials: config.strangers_get_for_themselves(),
        assertions: GrantType::JwtBearer.is_offered(config),
        // Registrations that say nothing get a secret, and here there can be none.
        default_method: "none",
    };
    let (metadata, auth_method) = Metadata::read(&fields, &terms)?;
    let auth = match auth_method {
        AuthMethod::None => ClientAuth::None,
        AuthMethod::PrivateKeyJwt(keys) => ClientAuth::PrivateKeyJwt { keys },
        AuthMethod::Basic | AuthMethod::Post => return Err(MetadataError::SharedSecret.into()),
    };
    if metadata.name.is_none() {
        return Err(DocumentError::Missing("client_name"));
    }
    Ok(metadata.into_record(id.to_owned(), auth, document.fetched_at))
}
