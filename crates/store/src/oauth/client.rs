//! A registered client.

use serde::{Deserialize, Serialize};

use super::SecretHash;
use crate::Timestamp;

/// What is known about a client (RFC 7591, section 2). Kept in the clear; its secret only as a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    /// Its `client_id`.
    pub id: String,
    /// The name it gave itself. Nobody has verified it.
    pub name: Option<String>,
    /// Its home page.
    pub uri: Option<String>,
    /// Where the browser may be sent back to, byte for byte as registered.
    pub redirect_uris: Vec<String>,
    /// How it proves at the token endpoint who it is.
    pub auth: ClientAuth,
    /// The grant types it may use.
    pub grant_types: Vec<String>,
    /// What it asks for where a request names no scope, as scope values separated by spaces.
    pub scope: Option<String>,
    /// `native` or `web` (OpenID Connect Registration, section 2), if it said.
    pub application_type: Option<String>,
    /// Names the software, the same for all its installations.
    pub software_id: Option<String>,
    /// The version of that software.
    pub software_version: Option<String>,
    /// Whether it is given only tokens that are bound to a key (RFC 9449, section 5.2).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// When it registered.
    pub registered_at: Timestamp,
}

/// How a client authenticates (RFC 6749, section 2.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum ClientAuth {
    /// A public client: it has no secret.
    None,
    /// Its secret is in the `Authorization` header.
    ClientSecretBasic {
        /// The hash of its secret.
        secret: SecretHash,
    },
    /// Its secret is in the body.
    ClientSecretPost {
        /// The hash of its secret.
        secret: SecretHash,
    },
    /// It signs an assertion with a key of its own (RFC 7523, section 2.2).
    PrivateKeyJwt {
        /// Where the public half of that key is.
        keys: ClientKeys,
    },
}

/// The public keys of a client (RFC 7591, section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKeys {
    /// A JSON Web Key Set (RFC 7517, section 5), as the client gave it.
    Jwks(serde_json::Value),
    /// The URL of one. A stranger chose it.
    JwksUri(String),
}

impl ClientAuth {
    /// The value of `token_endpoint_auth_method`.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic { .. } => "client_secret_basic",
            Self::ClientSecretPost { .. } => "client_secret_post",
            Self::PrivateKeyJwt { .. } => "private_key_jwt",
        }
    }

    /// Whether the client has something to prove who it is.
    pub const fn is_confidential(&self) -> bool {
        match self {
            Self::None => false,
            Self::ClientSecretBasic { .. }
            | Self::ClientSecretPost { .. }
            | Self::PrivateKeyJwt { .. } => true,
        }
    }
}
