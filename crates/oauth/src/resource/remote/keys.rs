//! The keys that an authorization server signs with (RFC 7517).

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::{sync::Mutex, time::Instant};

use super::TrustedServer;
use crate::{
    http::HttpError,
    jose::{Jws, JwsError, KeySet, KeySetError},
};

/// How long keys are used before they are read again.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// The least time between two readings: tokens that name keys which do not exist cost no more.
const AGAIN: Duration = Duration::from_secs(5);

/// Why there are no keys. The texts are for the log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum NoKeys {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Set(#[from] KeySetError),
}

/// Why it is not known whether a server signed something.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Unverified {
    #[error(transparent)]
    Jws(#[from] JwsError),
    #[error(transparent)]
    NoKeys(#[from] NoKeys),
}

/// The keys of one server, read when they are needed.
pub(super) struct Keys {
    server: Arc<TrustedServer>,
    // Never held over an await: whose key is there does not wait while they are read again, as they
    // are for every stranger who names a key that is not.
    at_hand: std::sync::Mutex<AtHand>,
    /// Held by the one who reads them.
    tried: Mutex<Tried>,
}

#[derive(Default)]
struct AtHand {
    /// Where the keys came from.
    uri: String,
    keys: Option<(Instant, Arc<KeySet>)>,
}

/// When they were asked for last, and what was wrong with the answer.
#[derive(Default)]
struct Tried {
    uri: String,
    last: Option<(Instant, Option<NoKeys>)>,
}

impl Keys {
    pub(super) fn new(server: Arc<TrustedServer>) -> Self {
        Self { server, at_hand: std::sync::Mutex::default(), tried: Mutex::default() }
    }

    /// What is said in something that one of the keys at `uri` signed.
    pub(super) async fn verify<C: DeserializeOwned>(
        &self,
        uri: &str,
        jws: &Jws<'_>,
    ) -> Result<C, Unverified> {
        let said = match jws.verify_with(&*self.at(uri).await?) {
            // Signed with a newer key, it may be (`OpenID` Connect Core section 10.1.1).
            Err(JwsError::NoKey) => jws.verify_with(&*self.newer(uri).await?),
            Err(JwsError::Signature) if jws.kid().is_none() => {
                jws.verify_with(&*self.newer(uri).await?)
            }
            said => said,
        };
        Ok(said?)
    }

    /// The keys at `uri`. Those at hand go on to be good while nobody can say that they are not, and
    /// while somebody asks.
    async fn at(&self, uri: &str) -> Result<Arc<KeySet>, NoKeys> {
        match self.at_hand(uri) {
            Some((at, keys)) if at.elapsed() < FRESH => Ok(keys),
            Some((_, keys)) => match self.tried.try_lock() {
                Ok(mut tried) => Ok(self.again(uri, &mut tried).await.unwrap_or(keys)),
                Err(_) => Ok(keys),
            },
            // Whoever comes meanwhile waits for the one reading.
            None => self.newer(uri).await,
        }
    }

    /// The same after reading them once more, for a token that none of them signed.
    async fn newer(&self, uri: &str) -> Result<Arc<KeySet>, NoKeys> {
        self.again(uri, &mut *self.tried.lock().await).await
    }

    async fn again(&self, uri: &str, tried: &mut Tried) -> Result<Arc<KeySet>, NoKeys> {
        let error = match &tried.last {
            Some((at, error)) if tried.uri == uri && at.elapsed() < AGAIN => error.clone(),
            _ => {
                let error = self.read(uri).await.err();
                let last = Some((Instant::now(), error.clone()));
                *tried = Tried { uri: uri.to_owned(), last };
                error
            }
        };
        match (error, self.at_hand(uri)) {
            (None, Some((_, keys))) => Ok(keys),
            (None, None) => Err(KeySetError::NoUsableKey.into()),
            (Some(error), _) => Err(error),
        }
    }

    async fn read(&self, uri: &str) -> Result<(), NoKeys> {
        let keys = KeySet::parse(&self.server.http.get(uri).await?)?;
        let keys = Some((Instant::now(), Arc::new(keys)));
        *self.lock() = AtHand { uri: uri.to_owned(), keys };
        Ok(())
    }

    fn at_hand(&self, uri: &str) -> Option<(Instant, Arc<KeySet>)> {
        let at_hand = self.lock();
        at_hand.keys.clone().filter(|_| at_hand.uri == uri)
    }

    fn lock(&self) -> MutexGuard<'_, AtHand> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
