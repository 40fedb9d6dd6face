//! Identity providers whose word about a user is taken.

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{
    TrustedServer,
    keys::{Keys, Unverified},
};
use crate::jose::{Jws, JwsError};

/// The identity providers that an operator named, each found by its metadata. What they sign about
/// their users counts.
#[derive(Clone, Default)]
pub struct TrustedIssuers(Arc<[TrustedIssuer]>);

/// One of them.
pub(crate) struct TrustedIssuer {
    server: Arc<TrustedServer>,
    keys: Keys,
}

/// Why it is not known that an issuer said something.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum NotSaid {
    /// It did not.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// Its keys are not known now. The text is for the log.
    #[error("the keys of its issuer cannot be read: {0}")]
    Away(String),
}

impl TrustedIssuers {
    /// These. Somebody has to [keep finding](TrustedServer::keep_finding) each.
    pub fn new(servers: impl IntoIterator<Item = Arc<TrustedServer>>) -> Self {
        let issuer = |server| TrustedIssuer { keys: Keys::new(Arc::clone(&server)), server };
        Self(servers.into_iter().map(issuer).collect())
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one of this name, character for character.
    pub(crate) fn named(&self, iss: &str) -> Option<&TrustedIssuer> {
        self.0.iter().find(|issuer| issuer.name() == iss)
    }
}

impl TrustedIssuer {
    pub(crate) fn name(&self) -> &str {
        self.server.issuer().as_str()
    }

    /// What it said, if it did.
    pub(crate) async fn said<C: DeserializeOwned>(&self, jws: &Jws<'_>) -> Result<C, NotSaid> {
        let metadata = self.server.metadata();
        let metadata = metadata.ok_or_else(|| NotSaid::Away("it was not found yet".into()))?;
        let uri = metadata.jwks_uri.as_deref();
        let uri = uri.ok_or_else(|| NotSaid::Away("its metadata has no jwks_uri".into()))?;
        self.keys.verify(uri, jws).await.map_err(|error| match error {
            Unverified::Jws(error) => error.into(),
            Unverified::NoKeys(error) => NotSaid::Away(error.to_string()),
        })
    }
}

impl fmt::Debug for TrustedIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(TrustedIssuer::name)).finish()
    }
}
