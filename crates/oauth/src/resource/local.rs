//! Tokens of this very server.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use mcp_everything_store::{
    Clock, Halves, Owner, StoreError, Timestamp,
    oauth::{IssuedToken, OAuthStore, Sealed, SecretHash},
};
use subtle::ConstantTimeEq as _;

use super::{Caller, Flaw, TokenVerifier, VerifyError};
use crate::{ScopeSet, events, secret::AccessToken};

/// Looks tokens up in the store of the authorization server that issued them.
pub struct LocalVerifier {
    store: Arc<dyn OAuthStore>,
    clock: Arc<dyn Clock>,
    issuer: String,
    /// By a hash of their tokens that nobody else can make.
    opened: Mutex<Halves<u64, Arc<Opened>>>,
    hasher: RandomState,
}

/// A token whose record was opened, and what that says. It is good for as long as the store has that
/// very record and says that the token is good; only reading, hashing and opening are spared. The
/// token itself is compared, as no cheap hash is promised to tell two of them apart, and is forgotten
/// when the store says that it is not good.
struct Opened {
    token: AccessToken,
    name: SecretHash,
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
        let (opened, hasher) = (Mutex::default(), RandomState::new());
        Self { store, clock, issuer: issuer.into(), opened, hasher }
    }

    /// What is known of a token that was seen before.
    fn known(&self, place: u64, token: &str) -> Option<Arc<Opened>> {
        let opened = Arc::clone(self.opened().get(&place)?);
        bool::from(opened.token.expose().as_bytes().ct_eq(token.as_bytes())).then_some(opened)
    }

    /// The record of a token that is good now, and when it ends.
    async fn kept(
        &self,
        name: &SecretHash,
        token: &AccessToken,
    ) -> Result<(Sealed<IssuedToken>, Timestamp), VerifyError> {
        let kept = self.store.access_token(name, &token.grant()).await;
        let kept =
            kept.map_err(|error| failed(&error))?.ok_or(VerifyError::NotGood(Flaw::Unknown))?;
        // By the store's clock, which decides, and not by the clock of whoever issued it.
        Ok((kept.body, self.clock.now() + kept.expires_in))
    }

    /// What a record says, but for its end.
    fn open(
        &self,
        place: u64,
        token: AccessToken,
        name: SecretHash,
        sealed: Sealed<IssuedToken>,
    ) -> Result<Caller, StoreError> {
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
        let opened = Opened { token, name, sealed, caller: caller.clone() };
        self.opened().insert(place, Arc::new(opened));
        Ok(caller)
    }

    fn opened(&self) -> MutexGuard<'_, Halves<u64, Arc<Opened>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenVerifier for LocalVerifier {
    async fn verify(&self, token: &str) -> Result<Caller, VerifyError> {
        let place = self.hasher.hash_one(token);
        if let Some(Opened { token, name, sealed, caller }) = self.known(place, token).as_deref() {
            let kept = self.kept(name, token).await;
            if matches!(kept, Err(VerifyError::NotGood(_))) {
                self.opened().remove(&place);
            }
            let (body, expires_at) = kept?;
            if body.as_bytes() == sealed.as_bytes() {
                return Ok(Caller { expires_at, ..caller.clone() });
            }
        }
        let token = AccessToken::parse(token).ok_or(VerifyError::NotGood(Flaw::Unknown))?;
        let name = token.name();
        let (body, expires_at) = self.kept(&name, &token).await?;
        let caller = self.open(place, token, name, body).map_err(|error| failed(&error))?;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{TestServer, client};

    const LIFE: Duration = Duration::from_secs(60);

    fn verifier(server: &TestServer) -> LocalVerifier {
        LocalVerifier::new(Arc::clone(&server.store), Arc::new(server.clock.clone()), "")
    }

    /// A token of somebody who has logged in.
    async fn token(server: &TestServer) -> AccessToken {
        server.put_client(&client("c")).await;
        let token = server.log_in("c", "alice", &[]).await.access;
        AccessToken::draw(TestServer::grant_of(&token), &*server.random)
    }

    /// Keeps a record under a token, with the user it is for.
    async fn put(server: &TestServer, token: &AccessToken, user: &str) {
        let record = IssuedToken {
            user: user.into(),
            client: "c".into(),
            scope: "mcp:read".into(),
            audience: String::new(),
            issued_at: server.clock.now(),
            expires_at: server.clock.now() + LIFE,
            confirmation: None,
        };
        let body = Sealed::seal(&record, token.expose(), &*server.random).unwrap();
        server.store.put_access_token(&token.name(), &body, LIFE).await.unwrap();
    }

    fn is_kept(verifier: &LocalVerifier, token: &AccessToken) -> bool {
        verifier.known(verifier.hasher.hash_one(token.expose()), token.expose()).is_some()
    }

    #[tokio::test]
    async fn what_was_opened_is_not_used_for_another_record_of_the_token() {
        let server = TestServer::new();
        let (verifier, token) = (verifier(&server), token(&server).await);
        for user in ["alice", "bob"] {
            put(&server, &token, user).await;
            for _ in 0..2 {
                assert_eq!(verifier.verify(token.expose()).await.unwrap().owner.user, user);
                assert!(is_kept(&verifier, &token));
            }
            // The store keeps no other record while there is one.
            server.clock.advance(LIFE);
        }
    }

    #[tokio::test]
    async fn a_token_that_is_not_good_any_more_is_forgotten() {
        let server = TestServer::new();
        let (verifier, token) = (verifier(&server), token(&server).await);
        put(&server, &token, "alice").await;
        verifier.verify(token.expose()).await.unwrap();
        server.faults.is_away_after(0);
        let error = verifier.verify(token.expose()).await.unwrap_err();
        assert!(matches!(error, VerifyError::Unavailable { .. }), "{error}");
        assert!(is_kept(&verifier, &token), "the store did not say that it is not good");
        server.faults.is_back();
        server.store.revoke_access_token(&token.name()).await.unwrap();
        let error = verifier.verify(token.expose()).await.unwrap_err();
        assert_eq!(error, VerifyError::NotGood(Flaw::Unknown));
        assert!(!is_kept(&verifier, &token));
    }
}
