//! OAuth state in memory.

mod clients;
mod documents;
mod expiring;
mod grants;
mod pending;
mod tables;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::noted;
use async_trait::async_trait;

use self::{
    grants::GrantRow,
    tables::{CodeRow, FamilyRow, Tables, TokenRow},
};
use crate::{
    Clock, KeyStore, SecretKeys, StoreError, Timestamp,
    oauth::{
        AccessToken, AttemptId, ClientRecord, Code, CodeGrant, Grant, GrantId, GrantRecord,
        IssuedToken, Limits, LiveGrant, OAuthStore, PendingLogin, Redemption, RefreshFamily,
        Replays, Rotation, Sealed, SecretHash, decode, encode,
    },
};

/// Keeps OAuth state in the process: for one instance, and for tests. A restart forgets it.
///
/// Records are kept as the bytes another store would keep, so that what is written here can also
/// be read there.
pub struct MemoryOAuth {
    clock: Arc<dyn Clock>,
    limits: Limits,
    // Held for look-ups only, never over an await.
    tables: Mutex<Tables>,
}

impl MemoryOAuth {
    /// An empty store with the usual limits.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_limits(clock, Limits::default())
    }

    /// An empty store that keeps no more than this.
    pub fn with_limits(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self { clock, limits, tables: Mutex::default() }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // No operation leaves the tables half changed, so a panic elsewhere does not spoil them.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables_for_insert(&self, now: Timestamp) -> MutexGuard<'_, Tables> {
        let mut tables = self.tables();
        tables.sweep(now);
        tables
    }
}

impl fmt::Debug for MemoryOAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryOAuth").finish_non_exhaustive()
    }
}

#[async_trait]
impl KeyStore for MemoryOAuth {
    async fn secret_keys(&self, fresh: &SecretKeys) -> Result<SecretKeys, StoreError> {
        noted("secret_keys");
        Ok(self.tables().keys.get_or_insert_with(|| fresh.clone()).clone())
    }
}

#[async_trait]
impl Replays for MemoryOAuth {
    async fn remember_once(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
        life: Duration,
    ) -> Result<bool, StoreError> {
        noted("remember_once");
        let now = self.now();
        let limit = ("things that were used once", self.limits.replays);
        let mut tables = self.tables_for_insert(now);
        tables.replays.insert_new(*name, *attempt, (now, now + life), limit)?;
        Ok(tables.replays.live(name, now).is_some_and(|entry| entry.value == *attempt))
    }
}

#[async_trait]
impl OAuthStore for MemoryOAuth {
    async fn put_client(
        &self,
        client: &ClientRecord,
        life: Duration,
        capacity: usize,
    ) -> Result<(), StoreError> {
        noted("put_client");
        let record = encode(client_key(&client.id), client)?;
        let now = self.now();
        self.tables_for_insert(now).clients.put(&client.id, record, now, life, capacity)
    }

    async fn client(&self, id: &str) -> Result<Option<ClientRecord>, StoreError> {
        noted("client");
        let now = self.now();
        let mut tables = self.tables();
        tables.clients.live(id, now).map(|record| decode(client_key(id), record)).transpose()
    }

    async fn prolong_client(&self, id: &str, life: Duration) -> Result<bool, StoreError> {
        noted("prolong_client");
        Ok(self.tables().clients.prolong(id, self.now(), life))
    }

    async fn put_pending(
        &self,
        name: &SecretHash,
        body: &Sealed<PendingLogin>,
        life: Duration,
    ) -> Result<Option<Sealed<PendingLogin>>, StoreError> {
        noted("put_pending");
        let now = self.now();
        Ok(self.tables_for_insert(now).pending.put(name, body, now, life, &self.limits))
    }

    async fn pending(&self, name: &SecretHash) -> Result<Option<Sealed<PendingLogin>>, StoreError> {
        noted("pending");
        Ok(self.tables().pending.open(name, self.now()))
    }

    async fn take_pending(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
    ) -> Result<bool, StoreError> {
        noted("take_pending");
        Ok(self.tables().pending.take(name, attempt, self.now()))
    }

    async fn create_grant(
        &self,
        id: &GrantId,
        grant: &GrantRecord,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("create_grant");
        let record = encode(grant_key(id), grant)?;
        let now = self.now();
        let row = GrantRow { user: grant.user.clone(), record, revoked: false };
        self.tables_for_insert(now).grants.create(id, row, now, life, self.limits.grants)
    }

    async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
        noted("grant");
        let now = self.now();
        let mut tables = self.tables();
        let Some(entry) = tables.grants.live(id, now) else {
            return Ok(None);
        };
        let record = decode(grant_key(id), &entry.value.record)?;
        Ok(Some(Grant { record, revoked: entry.value.revoked }))
    }

    async fn grants_of(&self, user: &str, most: usize) -> Result<Vec<LiveGrant>, StoreError> {
        noted("grants_of");
        let now = self.now();
        let mut tables = self.tables();
        let ids = tables.grants.of(user, now).into_iter().take(most);
        let grants = ids.filter_map(|id| {
            let entry = tables.grants.active(&id, now)?;
            let ends_in = entry.ends().since(now);
            let record = decode(grant_key(&id), &entry.value.record);
            Some(record.map(|record| LiveGrant { id, record, ends_in }))
        });
        grants.collect()
    }

    async fn prolong_grant(&self, id: &GrantId, life: Duration) -> Result<bool, StoreError> {
        noted("prolong_grant");
        let now = self.now();
        Ok(self.tables().grants.prolong(id, now, life))
    }

    async fn revoke_grant(&self, id: &GrantId) -> Result<bool, StoreError> {
        noted("revoke_grant");
        let now = self.now();
        let mut tables = self.tables();
        let Some(entry) = tables.grants.live(id, now) else {
            return Ok(false);
        };
        entry.value.revoked = true;
        Ok(true)
    }

    async fn put_code(
        &self,
        name: &SecretHash,
        body: &Sealed<CodeGrant>,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("put_code");
        let now = self.now();
        let row = CodeRow { body: body.clone(), redeemed: None };
        let limit = ("authorization codes", self.limits.codes);
        self.tables_for_insert(now).codes.insert_new(*name, row, (now, now + life), limit)
    }

    async fn code(&self, name: &SecretHash) -> Result<Option<Code>, StoreError> {
        noted("code");
        let now = self.now();
        let mut tables = self.tables();
        let entry = tables.codes.live(name, now);
        Ok(entry.map(|entry| Code {
            body: entry.value.body.clone(),
            redeemed: entry.value.redeemed.is_some(),
        }))
    }

    async fn redeem_code(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
    ) -> Result<Redemption, StoreError> {
        noted("redeem_code");
        let now = self.now();
        let mut tables = self.tables();
        let Some(entry) = tables.codes.live(name, now) else {
            return Ok(Redemption::Unknown);
        };
        Ok(if entry.value.redeemed.get_or_insert(*attempt) == attempt {
            Redemption::Redeemed
        } else {
            Redemption::Replayed
        })
    }

    async fn put_access_token(
        &self,
        name: &SecretHash,
        body: &Sealed<IssuedToken>,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("put_access_token");
        let now = self.now();
        let row = TokenRow { body: body.clone(), revoked: false };
        let limit = ("access tokens", self.limits.access_tokens);
        self.tables_for_insert(now).tokens.insert_new(*name, row, (now, now + life), limit)
    }

    async fn access_token(
        &self,
        name: &SecretHash,
        grant: &GrantId,
    ) -> Result<Option<AccessToken>, StoreError> {
        noted("access_token");
        let now = self.now();
        let mut tables = self.tables();
        if tables.grants.active(grant, now).is_none() {
            return Ok(None);
        }
        let entry = tables.tokens.live(name, now).filter(|entry| !entry.value.revoked);
        Ok(entry.map(|entry| AccessToken {
            body: entry.value.body.clone(),
            expires_in: entry.ends().since(now),
        }))
    }

    async fn revoke_access_token(&self, name: &SecretHash) -> Result<(), StoreError> {
        noted("revoke_access_token");
        let now = self.now();
        if let Some(entry) = self.tables().tokens.live(name, now) {
            entry.value.revoked = true;
        }
        Ok(())
    }

    async fn put_refresh_family(
        &self,
        name: &SecretHash,
        body: &Sealed<RefreshFamily>,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("put_refresh_family");
        let now = self.now();
        let row = FamilyRow { body: body.clone(), generation: 0, rotated_at: now, dead: false };
        let limit = ("families of refresh tokens", self.limits.refresh_families);
        self.tables_for_insert(now).families.insert_new(*name, row, (now, now + life), limit)
    }

    async fn refresh_family(
        &self,
        name: &SecretHash,
    ) -> Result<Option<Sealed<RefreshFamily>>, StoreError> {
        noted("refresh_family");
        let now = self.now();
        let mut tables = self.tables();
        Ok(tables.families.live(name, now).map(|entry| entry.value.body.clone()))
    }

    async fn rotate_refresh(
        &self,
        name: &SecretHash,
        presented: u64,
        window: Duration,
        life: Duration,
    ) -> Result<Rotation, StoreError> {
        noted("rotate_refresh");
        let now = self.now();
        let mut tables = self.tables();
        let Some(entry) = tables.families.live(name, now) else {
            return Ok(Rotation::Unknown);
        };
        let rotation = entry.value.rotate(presented, window, now);
        if let Rotation::Rotated { .. } = rotation {
            tables.families.set_end(name, now + life);
        }
        Ok(rotation)
    }
}

fn client_key(id: &str) -> String {
    format!("client:{id}")
}

fn grant_key(id: &GrantId) -> String {
    format!("grant:{id}")
}
