//! Documents that were fetched.

use std::time::Duration;

use async_trait::async_trait;

use super::MemoryOAuth;
use crate::{
    StoreError, noted,
    oauth::{Document, DocumentKind, Documents, decode, encode},
};

#[async_trait]
impl Documents for MemoryOAuth {
    async fn keep_document(
        &self,
        kind: DocumentKind,
        url: &str,
        document: &Document,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("keep_document");
        let record = encode(format_args!("document:{kind}:{url}"), document)?;
        let name = (kind, url.to_owned());
        let now = self.now();
        let documents = &mut self.tables_for_insert(now).documents;
        documents.remove(&name);
        while documents.len() >= self.limits.documents && documents.pop_first().is_some() {}
        documents.insert(name, record, now + life);
        Ok(())
    }

    async fn document(
        &self,
        kind: DocumentKind,
        url: &str,
    ) -> Result<Option<Document>, StoreError> {
        noted("document");
        let name = (kind, url.to_owned());
        let now = self.now();
        let mut tables = self.tables();
        let kept = tables.documents.live(&name, now);
        kept.map(|entry| decode(format_args!("document:{kind}:{url}"), &entry.value)).transpose()
    }
}
