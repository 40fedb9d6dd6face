//! What is good once.

use std::time::Duration;

use async_trait::async_trait;

use super::{AttemptId, SecretHash};
use crate::StoreError;

/// Remembers what others signed for one use, by the hash of what tells it from everything else (say,
/// who signed it and its `jti`: RFC 7519, section 4.1.7), for as long as it would be good.
#[async_trait]
pub trait Replays: Send + Sync + 'static {
    /// Remembers a name for `life`. `true` for the one attempt that brought it first, however often
    /// it asks; every other attempt is a replay.
    ///
    /// What is remembered stays, and one too many gets [`StoreError::LimitReached`].
    async fn remember_once(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
        life: Duration,
    ) -> Result<bool, StoreError>;
}
