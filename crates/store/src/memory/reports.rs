//! What instances say of themselves.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryStore;
use crate::{InstanceId, Reports, StoreError, Timestamp, noted};

/// What an instance said, and until when that counts.
pub(super) struct Said {
    report: Bytes,
    until: Timestamp,
}

#[async_trait]
impl Reports for MemoryStore {
    async fn report(
        &self,
        instance: &InstanceId,
        report: Bytes,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("report");
        self.limits.take_event(&report)?;
        let now = self.clock.now();
        self.reports.retain(|_, said| said.until > now);
        self.reports.insert(instance.clone(), Said { report, until: now + life });
        Ok(())
    }

    async fn reports(&self) -> Result<Vec<(InstanceId, Bytes)>, StoreError> {
        noted("reports");
        let now = self.clock.now();
        let said = self.reports.iter().filter(|said| said.until > now);
        Ok(said.map(|said| (said.key().clone(), said.report.clone())).collect())
    }
}
