//! What a token says.

use async_trait::async_trait;
use mcp_everything_store::{Access, Owner, Timestamp, oauth::GrantId};
use thiserror::Error;

use crate::{Scope, ScopeSet};

/// Who sent a request, as its token says. In the request's extensions once the token was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user, the client and who vouches for them.
    pub owner: Owner,
    /// What the user allowed.
    pub scopes: ScopeSet,
    /// The resources the token is for.
    pub audience: Vec<String>,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// The grant the token was issued from, if it is one of this server's.
    pub grant: Option<GrantId>,
    /// The key the token is bound to, if it is bound to one: its SHA-256 thumbprint, `cnf.jkt`
    /// (RFC 9449, section 6).
    pub confirmation: Option<String>,
}

impl Caller {
    /// Whether the user allowed this. If not, the answer is
    /// [`insufficient_scope`](crate::ProtectedResource::insufficient_scope).
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes.has(scope)
    }

    /// What the token is good for in time: whatever outlives the request ends with it, when it
    /// expires or when its grant is revoked. A token that was issued elsewhere can only expire.
    pub fn access(&self) -> Access {
        let grant = self.grant.unwrap_or(GrantId::ELSEWHERE);
        Access { until: self.expires_at, grant }
    }
}

/// Finds out what a token says. Whom it is for, is for [`BearerLayer`](crate::BearerLayer) to
/// check.
#[async_trait]
pub trait TokenVerifier: Send + Sync + 'static {
    /// What a token that is good now says.
    async fn verify(&self, token: &str) -> Result<Caller, VerifyError>;
}

/// Why nothing is known of a token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// It is not good. The only one for which the token is to blame.
    #[error("the token is unknown, expired or revoked")]
    NotGood,
    /// Whoever knows cannot be asked now.
    #[error("tokens cannot be checked: {reason}")]
    Unavailable {
        /// For the log; never for a client.
        reason: String,
    },
    /// The check itself failed.
    #[error("the check of a token failed: {reason}")]
    Failed {
        /// For the log; never for a client.
        reason: String,
    },
}
