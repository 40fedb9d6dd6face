//! What a user granted a client.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::name::{NotHex, read_hex, write_hex};
use crate::{Random, Timestamp};

/// Names a grant. Not a secret: it stands in logs, and every code and token begins with it.
///
/// As text it is 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GrantId([u8; 16]);

impl GrantId {
    /// Stands for the grant of a token that was issued elsewhere. No grant of ours has it, so it is
    /// never revoked.
    pub const ELSEWHERE: Self = Self([0; 16]);

    /// A new one.
    pub fn draw(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// From the bytes at the beginning of a code or token.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes a code or token begins with.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantId({self})")
    }
}

impl FromStr for GrantId {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        read_hex(text).map(Self)
    }
}

impl From<GrantId> for String {
    fn from(id: GrantId) -> Self {
        format!("{id}")
    }
}

impl TryFrom<String> for GrantId {
    type Error = NotHex;

    fn try_from(text: String) -> Result<Self, NotHex> {
        text.parse()
    }
}

/// What a grant says. Kept in the clear: it is what a user or an operator looks at to decide
/// whether to revoke it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// Who granted it, the tokens' `sub`.
    pub user: String,
    /// To whom, a `client_id`.
    pub client: String,
    /// The name that the client had then. Nobody has verified it.
    pub client_name: Option<String>,
    /// Where the browser was sent with the code, if the grant began in one.
    pub redirect_uri: Option<String>,
    /// What, as scope values separated by spaces.
    pub scope: String,
    /// For which resource, the tokens' `aud` (RFC 8707).
    pub resource: String,
    /// When.
    pub created_at: Timestamp,
}

/// A grant that something can be done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveGrant {
    /// Its name.
    pub id: GrantId,
    /// What it says.
    pub record: GrantRecord,
    /// How much of its life is left.
    pub ends_in: Duration,
}

/// A grant as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it says.
    pub record: GrantRecord,
    /// Whether it was revoked. It stays known until its life is over, so that nothing that is
    /// still being issued from it escapes.
    pub revoked: bool,
}
