//! Tokens of this very server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mcp_everything_store::{
    Clock, Halves, Owner, StoreError, Timestamp,
    oauth::{IssuedToken, OAuthStore, Sealed, SecretHash},
};

use super::{Caller, Flaw, TokenVerifier, VerifyError};
use crate::{ScopeSet, events, secret::AccessToken};

/// Looks tokens up in the store of the authorization server that issued them.
pub struct LocalVerifier {
    store: Arc<dyn OAuthStore>,
    clock: Arc<dyn Clock>,
    issuer: String,
    opened: Mutex<Halves<SecretHash, Opened>>,
}

/// A record that was opened, and what it says. It is good for as long as the store has that very
/// record and says that the token is good; only the opening is spared.
struct Opened {
    sealed: Sealed<IssuedToken>,
    caller: Caller,
}

impl LocalVerifier {
    /// For the tokens that the authorization server named `issuer` keeps in `store`.
    pub fn new(
        store: Arc<dyn OAuthStore>,
        clock: Arc<dyn Clock>,
        issuer: impl Into<String>,
    ) -> Self {
        Self { store, clock, issuer: issuer.into(), opened: Mutex::default() }
    }

    /// What a record says, but for its end.
    fn open(
        &self,
        token: &AccessToken,
        name: SecretHash,
        sealed: Sealed<IssuedToken>,
    ) -> Result<Caller, StoreError> {
        if let Some(opened) = self.opened().get(&name)
            && opened.sealed.as_bytes() == sealed.as_bytes()
        {
            return Ok(opened.caller.clone());
        }
        let record = sealed.open(token.expose())?;
        let owner = Owner { user: record.user, issuer: self.issuer.clone(), client: record.client };
        let caller = Caller {
            owner,
            scopes: ScopeSet::parse_known(&record.scope),
            audience: vec![record.audience],
            expires_at: Timestamp::from_millis(0),
            grant: Some(token.grant()),
            confirmation: record.confirmation,
        };
        self.opened().insert(name, Opened { sealed, caller: caller.clone() });
        Ok(caller)
    }

    fn opened(&self) -> MutexGuard<'_, Halves<SecretHash, Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenVerifier for LocalVerifier {
    async fn verify(&self, token: &str) -> Result<Caller, VerifyError> {
        let token = AccessToken::parse(token).ok_or(VerifyError::NotGood(Flaw::Unknown))?;
        let name = token.name();
        let kept = self.store.access_token(&name, &token.grant()).await;
        let kept =
            kept.map_err(|error| failed(&error))?.ok_or(VerifyError::NotGood(Flaw::Unknown))?;
        // By the store's clock, which decides, and not by the clock of whoever issued it.
        let expires_at = self.clock.now() + kept.expires_in;
        let caller = self.open(&token, name, kept.body).map_err(|error| failed(&error))?;
        Ok(Caller { expires_at, ..caller })
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
