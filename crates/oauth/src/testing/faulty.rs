//! A store that fails when it is told to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use mcp_everything_store::{
    StoreError,
    oauth::{
        AccessToken, AttemptId, ClientRecord, Code, CodeGrant, Document, DocumentKind, Documents,
        Grant, GrantId, GrantRecord, IssuedToken, LiveGrant, OAuthStore, PendingLogin, Redemption,
        RefreshFamily, Replays, Rotation, Sealed, SecretHash,
    },
};

const NEVER: usize = usize::MAX;

pub(crate) struct FaultyStore {
    inner: Arc<dyn OAuthStore>,
    /// How many operations succeed before the next one fails.
    good: AtomicUsize,
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<dyn OAuthStore>) -> Self {
        Self { inner, good: AtomicUsize::new(NEVER) }
    }

    /// After so many operations the store is away, until it is told otherwise.
    pub(crate) fn is_away_after(&self, operations: usize) {
        self.good.store(operations, Ordering::SeqCst);
    }

    pub(crate) fn is_back(&self) {
        self.good.store(NEVER, Ordering::SeqCst);
    }

    fn up(&self) -> Result<&dyn OAuthStore, StoreError> {
        let next = |good| if good == NEVER { None } else { usize::checked_sub(good, 1) };
        match self.good.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
            Ok(_) | Err(NEVER) => Ok(&*self.inner),
            Err(_) => Err(StoreError::Unavailable { reason: "broken on purpose".into() }),
        }
    }
}

macro_rules! guarded {
    ($trait:ident: $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl $trait for FaultyStore {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer, StoreError> {
                // So that requests at one time take turns with each operation.
                tokio::task::yield_now().await;
                self.up()?.$name($($arg),*).await
            })*
        }
    };
}

guarded! {
    Replays:
    remember_once(name: &SecretHash, attempt: &AttemptId, life: Duration) -> bool;
}

guarded! {
    OAuthStore:
    put_client(client: &ClientRecord, life: Duration, capacity: usize) -> ();
    client(id: &str) -> Option<ClientRecord>;
    prolong_client(id: &str, life: Duration) -> bool;
    put_pending(name: &SecretHash, body: &Sealed<PendingLogin>, life: Duration)
        -> Option<Sealed<PendingLogin>>;
    pending(name: &SecretHash) -> Option<Sealed<PendingLogin>>;
    take_pending(name: &SecretHash, attempt: &AttemptId) -> bool;
    create_grant(id: &GrantId, grant: &GrantRecord, life: Duration) -> ();
    grant(id: &GrantId) -> Option<Grant>;
    grants_of(user: &str, most: usize) -> Vec<LiveGrant>;
    prolong_grant(id: &GrantId, life: Duration) -> bool;
    revoke_grant(id: &GrantId) -> bool;
    put_code(name: &SecretHash, body: &Sealed<CodeGrant>, life: Duration) -> ();
    code(name: &SecretHash) -> Option<Code>;
    redeem_code(name: &SecretHash, attempt: &AttemptId) -> Redemption;
    put_access_token(name: &SecretHash, body: &Sealed<IssuedToken>, life: Duration) -> ();
    access_token(name: &SecretHash, grant: &GrantId) -> Option<AccessToken>;
    revoke_access_token(name: &SecretHash) -> ();
    put_refresh_family(name: &SecretHash, body: &Sealed<RefreshFamily>, life: Duration) -> ();
    refresh_family(name: &SecretHash) -> Option<Sealed<RefreshFamily>>;
    rotate_refresh(name: &SecretHash, presented: u64, window: Duration, life: Duration) -> Rotation;
}

guarded! {
    Documents:
    keep_document(kind: DocumentKind, url: &str, document: &Document, life: Duration) -> ();
    document(kind: DocumentKind, url: &str) -> Option<Document>;
}
