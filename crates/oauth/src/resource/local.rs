//! Tokens of this very server.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_everything_store::{Clock, Owner, StoreError, oauth::OAuthStore};

use super::{Caller, Flaw, TokenVerifier, VerifyError};
use crate::{ScopeSet, events, secret::AccessToken};

/// Looks tokens up in the store of the authorization server that issued them.
pub struct LocalVerifier {
    store: Arc<dyn OAuthStore>,
    clock: Arc<dyn Clock>,
    issuer: String,
}

impl LocalVerifier {
    /// For the tokens that the authorization server named `issuer` keeps in `store`.
    pub fn new(
        store: Arc<dyn OAuthStore>,
        clock: Arc<dyn Clock>,
        issuer: impl Into<String>,
    ) -> Self {
        Self { store, clock, issuer: issuer.into() }
    }
}

#[async_trait]
impl TokenVerifier for LocalVerifier {
    async fn verify(&self, token: &str) -> Result<Caller, VerifyError> {
        let token = AccessToken::parse(token).ok_or(VerifyError::NotGood(Flaw::Unknown))?;
        let kept = self.store.access_token(&token.name(), &token.grant()).await;
        let kept =
            kept.map_err(|error| failed(&error))?.ok_or(VerifyError::NotGood(Flaw::Unknown))?;
        let record = kept.body.open(token.expose()).map_err(|error| failed(&error))?;
        let owner = Owner { user: record.user, issuer: self.issuer.clone(), client: record.client };
        Ok(Caller {
            owner,
            scopes: ScopeSet::parse_known(&record.scope),
            audience: vec![record.audience],
            // By the store's clock, which decides, and not by the clock of whoever issued it.
            expires_at: self.clock.now() + kept.expires_in,
            grant: Some(token.grant()),
            confirmation: record.confirmation,
        })
    }
}

fn failed(error: &StoreError) -> VerifyError {
    events::store_failed(error);
    let reason = error.to_string();
    match error {
        StoreError::Unavailable { .. } | StoreError::LimitReached { .. } => {
            VerifyError::Unavailable { reason }
        }
        StoreError::Corrupt { .. } => VerifyError::Failed { reason },
    }
}
