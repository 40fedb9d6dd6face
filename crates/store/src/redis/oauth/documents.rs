//! Documents that were fetched.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use tracing::instrument;

use super::{RedisOAuth, keys, millis, script};
use crate::{
    StoreError, noted,
    oauth::{Document, DocumentKind, Documents, decode, encode},
    spans::TARGET,
};

#[async_trait]
impl Documents for RedisOAuth {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn keep_document(
        &self,
        kind: DocumentKind,
        url: &str,
        document: &Document,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("keep_document");
        let key = keys::document(kind, url);
        let mut keep = redis::cmd("SET");
        keep.arg(&key).arg(encode(&key, document)?).arg("PX").arg(millis(life));
        self.ask::<()>(&key, &keep).await?;
        let mut room = script::call(&script::DOCUMENT_ROOM, keys::DOCUMENTS);
        room.arg(&key).arg(millis(life)).arg(self.limits.documents);
        let first: Vec<String> = self.ask(keys::DOCUMENTS, &room).await?;
        let removed =
            first.iter().map(async |key| self.ask::<()>(key, redis::cmd("DEL").arg(key)).await);
        try_join_all(removed).await?;
        Ok(())
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn document(
        &self,
        kind: DocumentKind,
        url: &str,
    ) -> Result<Option<Document>, StoreError> {
        noted("document");
        let key = keys::document(kind, url);
        let value: Option<Vec<u8>> = self.ask(&key, redis::cmd("GET").arg(&key)).await?;
        value.map(|value| decode(&key, &value)).transpose()
    }
}
