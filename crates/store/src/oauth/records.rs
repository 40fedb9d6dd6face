//! The bodies that are sealed, each under the secret that names it.

use serde::{Deserialize, Serialize};

use super::{SealedRecord, SecretHash};
use crate::Timestamp;

/// A login under way: the user is at the provider that says who they are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogin {
    /// What the user signs in for.
    pub purpose: LoginPurpose,
    /// The browser it was begun in, as the hash of its cookie.
    pub browser: SecretHash,
    /// Where the browser is sent to say who the user is.
    pub upstream_url: String,
    /// What the upstream provider's adapter needs again when the browser comes back.
    pub upstream_memo: String,
}

impl SealedRecord for PendingLogin {
    const KIND: &'static str = "pending";
}

/// What a user signs in for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginPurpose {
    /// A client waits for a code.
    Authorize(PendingAuthorization),
    /// The user wants to see what they granted.
    Account,
    /// The user wants to see what goes on in sessions of theirs.
    Status,
    /// The user is asked something on the page of the elicitation of this name.
    Elicitation(String),
}

/// What a user has agreed to and a client waits for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingAuthorization {
    /// The client that asked.
    pub client: String,
    /// Where the browser goes in the end.
    pub redirect_uri: String,
    /// The client's `state`, to be given back unchanged.
    pub state: Option<String>,
    /// The client's S256 challenge (RFC 7636).
    pub code_challenge: String,
    /// What the user agreed to, as scope values separated by spaces.
    pub scope: String,
    /// For which resource (RFC 8707).
    pub resource: String,
    /// The thumbprint of the key that the tokens will be bound to, if the client said so
    /// (RFC 9449, section 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
}

/// What an authorization code is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeGrant {
    /// The only client that may redeem it.
    pub client: String,
    /// Who granted.
    pub user: String,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// What the verifier must hash to (RFC 7636).
    pub code_challenge: String,
    /// What was granted, as scope values separated by spaces.
    pub scope: String,
    /// For which resource (RFC 8707).
    pub resource: String,
    /// The thumbprint of the key that must be shown for it, if any (RFC 9449, section 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
}

impl SealedRecord for CodeGrant {
    const KIND: &'static str = "exch";
}

/// What an access token allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedToken {
    /// Who granted, `sub`.
    pub user: String,
    /// To whom, `client_id`.
    pub client: String,
    /// What, as scope values separated by spaces.
    pub scope: String,
    /// The resource that may accept it, `aud` (RFC 8707).
    pub audience: String,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`. For display: the store's clock decides whether the token lives.
    pub expires_at: Timestamp,
    /// The thumbprint of the key it is bound to, if any: `cnf.jkt` (RFC 9449, section 6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
}

impl SealedRecord for IssuedToken {
    const KIND: &'static str = "mcp";
}

/// What the refresh tokens of one family may be exchanged for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshFamily {
    /// Who granted.
    pub user: String,
    /// The only client that may use them.
    pub client: String,
    /// What was granted, as scope values separated by spaces.
    pub scope: String,
    /// For which resource (RFC 8707).
    pub resource: String,
    /// When the family began.
    pub created_at: Timestamp,
    /// The thumbprint of the key that must be shown with them, if any (RFC 9449, section 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
}

impl SealedRecord for RefreshFamily {
    const KIND: &'static str = "refresh";
}
