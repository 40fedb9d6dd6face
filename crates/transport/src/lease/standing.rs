//! Whether what something was opened with still stands, when the bell that says so may be lost.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mcp_everything_store::{StoreError, oauth::GrantId};
use tokio::time::sleep;

use crate::shared::Shared;

/// How long until a store that is away is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Knows which grants were revoked.
#[async_trait]
pub trait Standing: Send + Sync + 'static {
    /// Whether what was opened with a grant may stay open: it is there, and not revoked.
    async fn stands(&self, grant: &GrantId) -> Result<bool, StoreError>;
}

/// Ends what is open with grants that were revoked unheard.
pub(crate) async fn look<H>(shared: Arc<Shared<H>>) {
    let Some(standing) = &shared.standing else { return };
    for grant in shared.grants.held() {
        loop {
            match standing.stands(&grant).await {
                Ok(true) => break,
                Ok(false) => {
                    tracing::info!(event = "grant.revoked", %grant, "a revocation was not heard");
                    shared.grants.revoke(grant);
                    break;
                }
                Err(error) => {
                    tracing::debug!(event = "store.unavailable", %error, "a grant is read later");
                    sleep(AGAIN).await;
                }
            }
        }
    }
}
