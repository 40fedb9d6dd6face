//! What a token says.

use std::fmt;

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
    /// The grant the token was issued from, if it is one of this server's or of another like it.
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
    ///
    /// # Errors
    ///
    /// [`VerifyError::NotGood`] alone means 401: clients throw the token away then. What could not
    /// be found out is [`VerifyError::Unavailable`], 503, or [`VerifyError::Failed`], 500.
    async fn verify(&self, token: &str) -> Result<Caller, VerifyError>;
}

/// Why nothing is known of a token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// It is not good. The only one for which the token is to blame.
    #[error("the token is not good: {0}")]
    NotGood(#[from] Flaw),
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

/// What is wrong with a token. For the log: to whoever brought it, all are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Whoever knows the tokens does not know it as one that is good now.
    Unknown,
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYet,
    /// It cannot be read as what it should be.
    Malformed,
    /// It is signed with an algorithm that is not taken: `none`, or one with a shared secret.
    Algorithm,
    /// It is signed with a key that its issuer does not publish.
    Key,
    /// Its signature is wrong.
    Signature,
    /// It is from somebody else.
    Issuer,
    /// It is an ID token or a refresh token.
    Kind,
    /// It names no user.
    User,
    /// It does not say whom it is for, or says somebody else.
    Audience,
    /// It may only be used with a proof of a kind that is not checked here (RFC 7800).
    Bound,
}

impl Flaw {
    /// In words for the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown, expired or revoked",
            Self::Expired => "expired",
            Self::NotYet => "not good yet",
            Self::Malformed => "no readable token",
            Self::Algorithm => "signed in a way that is not taken",
            Self::Key => "signed with an unknown key",
            Self::Signature => "its signature is wrong",
            Self::Issuer => "from another issuer",
            Self::Kind => "no access token",
            Self::User => "it names no user",
            Self::Audience => "it does not say that it is for this server",
            Self::Bound => "bound to a key",
        }
    }
}

impl std::error::Error for Flaw {}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
