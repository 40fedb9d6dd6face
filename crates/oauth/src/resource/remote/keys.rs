//! The keys that an authorization server signs with (RFC 7517).

use std::{sync::Arc, time::Duration};

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
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    /// Where the keys came from.
    uri: String,
    keys: Option<(Instant, Arc<KeySet>)>,
    /// When they were asked for last, and what was wrong with the answer.
    tried: Option<(Instant, Option<NoKeys>)>,
}

impl Keys {
    pub(super) fn new(server: Arc<TrustedServer>) -> Self {
        Self { server, read: Mutex::default() }
    }

    /// What is said in something that one of the keys at `uri` signed.
    pub(super) async fn verify<C: DeserializeOwned>(
        &self,
        uri: &str,
        jws: &Jws<'_>,
    ) -> Result<C, Unverified> {
        let said = match jws.verify_with(&*self.at(uri).await?) {
            // Signed with a newer key, it may be (`OpenID` Connect Core section 10.1.1).
            Err(JwsError::NoKey) => jws.verify_with(&*self.newer().await?),
            Err(JwsError::Signature) if jws.kid().is_none() => {
                jws.verify_with(&*self.newer().await?)
            }
            said => said,
        };
        Ok(said?)
    }

    /// The keys at `uri`. Those at hand go on to be good while nobody can say that they are not.
    async fn at(&self, uri: &str) -> Result<Arc<KeySet>, NoKeys> {
        // Whoever comes meanwhile waits for the one reading.
        let mut read = self.read.lock().await;
        if read.uri != uri {
            *read = Read { uri: uri.to_owned(), ..Read::default() };
        }
        let at_hand = read.keys.clone();
        match at_hand {
            Some((at, keys)) if at.elapsed() < FRESH => Ok(keys),
            Some((_, keys)) => Ok(self.again(&mut read).await.unwrap_or(keys)),
            None => self.again(&mut read).await,
        }
    }

    /// The same after reading them once more, for a token that none of them signed.
    async fn newer(&self) -> Result<Arc<KeySet>, NoKeys> {
        self.again(&mut *self.read.lock().await).await
    }

    async fn again(&self, read: &mut Read) -> Result<Arc<KeySet>, NoKeys> {
        let error = match &read.tried {
            Some((at, error)) if at.elapsed() < AGAIN => error.clone(),
            _ => {
                let error = self.read(read).await.err();
                read.tried = Some((Instant::now(), error.clone()));
                error
            }
        };
        match (error, &read.keys) {
            (None, Some((_, keys))) => Ok(Arc::clone(keys)),
            (None, None) => Err(KeySetError::NoUsableKey.into()),
            (Some(error), _) => Err(error),
        }
    }

    async fn read(&self, read: &mut Read) -> Result<(), NoKeys> {
        let keys = KeySet::parse(&self.server.http.get(&read.uri).await?)?;
        read.keys = Some((Instant::now(), Arc::new(keys)));
        Ok(())
    }
}
