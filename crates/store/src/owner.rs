//! Whom a session belongs to.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::InvalidId;

/// The principal a session is bound to: never a token, so that a refreshed token goes on with the
/// session, and never the user alone, so that two clients of one user stay apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The user, the token's `sub`.
    pub user: String,
    /// The authorization server that named the user, the token's `iss`.
    pub issuer: String,
    /// The client the user granted access to, the token's `client_id`.
    pub client: String,
}

impl Owner {
    /// The owner of everything while authentication is off.
    pub fn anonymous() -> Self {
        Self { user: "anonymous".into(), issuer: String::new(), client: String::new() }
    }
}

/// What tells an owner from every other and says nothing of it: 22 characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnerMark([u8; 16]);

impl From<&Owner> for OwnerMark {
    fn from(Owner { user, issuer, client }: &Owner) -> Self {
        let mut hash = Sha256::new();
        for part in [user, issuer, client] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        Self(std::array::from_fn(|place| hash[place]))
    }
}

impl fmt::Display for OwnerMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for OwnerMark {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidId)
    }
}

/// A user, with whatever client: whom a [shelf](crate::Shelves) belongs to, and whom a change may
/// concern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// The token's `sub`.
    pub id: String,
    /// The token's `iss`.
    pub issuer: String,
}

impl From<&Owner> for User {
    fn from(owner: &Owner) -> Self {
        Self { id: owner.user.clone(), issuer: owner.issuer.clone() }
    }
}
