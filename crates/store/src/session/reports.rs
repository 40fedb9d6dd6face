//! What instances say of themselves, for whoever looks.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{InstanceId, StoreError};

/// What instances say of themselves. Nothing depends on it but what is shown to people.
#[async_trait]
pub trait Reports: Send + Sync + 'static {
    /// Says something of an instance, in place of what it said before, for as long as `life`.
    ///
    /// Fails with [`StoreError::LimitReached`] if it is longer than a log may be.
    async fn report(
        &self,
        instance: &InstanceId,
        report: Bytes,
        life: Duration,
    ) -> Result<(), StoreError>;

    /// What all instances say, in no order. What was said too long ago is not among it.
    async fn reports(&self) -> Result<Vec<(InstanceId, Bytes)>, StoreError>;
}
