//! What instances say of themselves: a string each, and one list of them.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tracing::instrument;

use super::{RedisStore, keys, script, unreadable};
use crate::{InstanceId, Reports, StoreError, noted, spans::TARGET};

#[async_trait]
impl Reports for RedisStore {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn report(
        &self,
        instance: &InstanceId,
        report: Bytes,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("report");
        self.limits.take_event(&report)?;
        let life = u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut write = script::call(&script::REPORT, keys::REPORTS);
        write.arg(instance.as_str()).arg(&*report).arg(life);
        self.redis.bulk.run(&write).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn reports(&self) -> Result<Vec<(InstanceId, Bytes)>, StoreError> {
        noted("reports");
        let read = script::call(&script::REPORTS, keys::REPORTS);
        let said: Vec<(String, Vec<u8>)> = self.redis.bulk.run(&read).await?;
        let said = said.into_iter().map(|(instance, report)| {
            let id = instance.parse();
            let id = id.map_err(|_| unreadable(keys::REPORTS.to_owned(), "no instance"))?;
            Ok((id, report.into()))
        });
        said.collect()
    }
}
