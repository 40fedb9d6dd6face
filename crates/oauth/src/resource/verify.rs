//! What a token says.

use async_trait::async_trait;
use mcp_everything_store::{Owner, Timestamp, oauth::GrantId};
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
    /// When the token ends. Whatever outlives a request should end then, too.
    pub expires_at: Timestamp,
    /// The grant the token was issued from, if it is one of this server's.
    pub grant: Option<GrantId>,
}

impl Caller {
    /// Whether the user allowed this.
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes.has(scope)
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
