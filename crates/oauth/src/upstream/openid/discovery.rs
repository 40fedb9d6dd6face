//! What a provider says of itself (OpenID Connect Discovery 1.0), and its keys.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{Clock, Timestamp};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, IssuerUrl, JsonWebKeySet, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
        CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{
    events,
    upstream::{
        ProviderUrl, UpstreamError,
        http::{Http, HttpError},
    },
};

/// How long what was read is taken for true.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// How long what was read before goes on if it cannot be read again.
const STALE_FOR: Duration = Duration::from_secs(60);
/// How long nobody else asks when nothing could be read: a provider that is away is not asked by
/// each login, one after the other.
const AWAY_FOR: Duration = Duration::from_secs(2);

pub(super) type Metadata = ProviderMetadata<
    Besides,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What else is read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Besides {
    /// RFC 9207, section 3
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Besides {}

/// Reads it when it is needed, and keeps it for some time.
pub(super) struct Discovery {
    issuer: ProviderUrl,
    http: Arc<Http>,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Known>>,
}

struct Known {
    answer: Result<Arc<Metadata>, UpstreamError>,
    until: Timestamp,
}

impl Discovery {
    pub(super) fn new(issuer: ProviderUrl, http: Arc<Http>, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, http, clock, known: Mutex::new(None) }
    }

    /// What is known. Of those who ask while it is read, one reads and the others wait for it.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, UpstreamError> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known
            && self.clock.now() < known.until
        {
            return known.answer.clone();
        }
        let before = known.as_ref().and_then(|known| known.answer.clone().ok());
        let (answer, life) = match (self.discover().await, before) {
            (Ok(metadata), _) => (Ok(Arc::new(metadata)), FRESH_FOR),
            (Err(error), Some(before)) => {
                events::upstream_failed(&error);
                (Ok(before), STALE_FOR)
            }
            (Err(error), None) => (Err(error), AWAY_FOR),
        };
        *known = Some(Known { answer: answer.clone(), until: self.clock.now() + life });
        answer
    }

    /// The same with the keys of now: those in `old` lack the one that is needed.
    pub(super) async fn with_new_keys(
        &self,
        old: &Arc<Metadata>,
    ) -> Result<Arc<Metadata>, UpstreamError> {
        let mut known = self.known.lock().await;
        if let Some(Known { answer: Ok(current), .. }) = &*known
            && !Arc::ptr_eq(current, old)
        {
            return Ok(Arc::clone(current));
        }
        let keys = JsonWebKeySet::fetch_async(old.jwks_uri(), &*self.http).await;
        let keys = keys.map_err(|error| cause(&error, "its key set"))?;
        let new = Arc::new(Metadata::clone(old).set_jwks(keys));
        if let Some(known) = &mut *known {
            known.answer = Ok(Arc::clone(&new));
        }
        Ok(new)
    }

    async fn discover(&self) -> Result<Metadata, UpstreamError> {
        let issuer = IssuerUrl::new(self.issuer.as_str().to_owned())
            .map_err(|error| UpstreamError::faulty(format!("its issuer: {error}")))?;
        let metadata = Metadata::discover_async(issuer, &*self.http).await;
        let metadata = metadata.map_err(|error| cause(&error, "its metadata"))?;
        // The browser is sent there, where this server's HTTP client cannot see what it is.
        let scheme = metadata.authorization_endpoint().url().scheme();
        if scheme == "https" || (scheme == "http" && !self.issuer.is_https()) {
            Ok(metadata)
        } else {
            Err(UpstreamError::faulty("its authorization endpoint is not at an https URL"))
        }
    }
}

fn cause(error: &DiscoveryError<HttpError>, what: &str) -> UpstreamError {
    match error {
        DiscoveryError::Request(error) => error.into(),
        DiscoveryError::Response(status, ..) => {
            UpstreamError::faulty(format!("{what} cannot be read: it answers {status}"))
        }
        DiscoveryError::Parse(error) => {
            let at = events::loggable(&error.path().to_string());
            UpstreamError::faulty(format!("{what} cannot be read at {at}"))
        }
        // It names another issuer, and says which.
        DiscoveryError::Validation(why) => UpstreamError::faulty(events::one_line(why)),
        error => UpstreamError::faulty(format!("{what}: {}", events::one_line(&error.to_string()))),
    }
}
