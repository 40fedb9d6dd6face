//! Whom a session belongs to.

use serde::{Deserialize, Serialize};

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
