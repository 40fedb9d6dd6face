//! The keys of OAuth state.
//!
//! A record whose real name is a secret begins with the kind its body is sealed as.

use std::fmt::Display;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::oauth::{
    CodeGrant, DocumentKind, GrantId, IssuedToken, PendingLogin, RefreshFamily, SealedRecord,
    SecretHash,
};

/// A string: a registration.
pub fn client(id: &str) -> String {
    format!("client:{id}")
}

/// A string: a login under way.
pub fn pending(name: &SecretHash) -> String {
    sealed::<PendingLogin>(name)
}

/// A hash: what a user granted a client.
pub fn grant(id: &GrantId) -> String {
    format!("grant:{id}")
}

/// A sorted set: the grants of a user, by when they end.
pub fn grants_of(user: &str) -> String {
    format!("grants:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(user)))
}

/// A string: an authorization code.
pub fn code(name: &SecretHash) -> String {
    sealed::<CodeGrant>(name)
}

/// A string: an access token.
pub fn access_token(name: &SecretHash) -> String {
    sealed::<IssuedToken>(name)
}

/// A string: a family of refresh tokens.
pub fn refresh_family(name: &SecretHash) -> String {
    sealed::<RefreshFamily>(name)
}

/// A string: something that is good once and was used.
pub fn replay(name: &SecretHash) -> String {
    format!("once:{name}")
}

/// A string: a document that was fetched. A URL can be long and have anything in it.
pub fn document(kind: DocumentKind, url: &str) -> String {
    format!("document:{kind}:{}", SecretHash::of(url))
}

fn sealed<T: SealedRecord>(name: impl Display) -> String {
    format!("{}:{name}", T::KIND)
}

/// A string: the ring of a deployment whose operator sets none.
pub const SECRET_KEYS: &str = "oauth:keys";

/// A sorted set: the registrations in use, by when they end. A second one beside it has those that
/// were never used.
pub const CLIENTS: &str = "oauth:count:client";

/// A sorted set: the logins under way with their sizes, by when they end. A number beside it says
/// how much they are together.
pub const PENDING: &str = "oauth:count:pending";

/// A sorted set: the grants, by when they end.
pub const GRANTS: &str = "oauth:count:grant";

/// A sorted set: the authorization codes, by when they end.
pub const CODES: &str = "oauth:count:exch";

/// A sorted set: the access tokens, by when they end.
pub const ACCESS_TOKENS: &str = "oauth:count:mcp";

/// A sorted set: the families of refresh tokens, by when they end.
pub const REFRESH_FAMILIES: &str = "oauth:count:refresh";

/// A sorted set: what is good once and was used, by when it would end.
pub const REPLAYS: &str = "oauth:count:once";

/// A sorted set: the documents that were fetched, by when they end.
pub const DOCUMENTS: &str = "oauth:count:document";
