//! OAuth state in Redis.
//!
//! Each record is one key, and each change of it one script. How many there are is counted in
//! other hash slots, so not together with it: what is to be kept is counted first. Who is refused
//! then or breaks off leaves a count too many, which ends when the record would have.

mod clients;
mod codes;
mod count;
mod documents;
mod grants;
mod pending;
mod record;
mod refresh;
mod replays;
mod tokens;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use redis::{Cmd, FromRedisValue};
use tracing::instrument;

use super::{Redis, each::each, keys::oauth as keys, script, unreadable};
use crate::{
    KeyStore, SecretKeys, StoreError, noted,
    oauth::{
        AccessToken, AttemptId, ClientRecord, Code, CodeGrant, Grant, GrantId, GrantRecord,
        IssuedToken, Limits, LiveGrant, OAuthStore, PendingLogin, Redemption, RefreshFamily,
        Replays, Rotation, Sealed, SecretHash,
    },
    spans::TARGET,
};

/// OAuth state in Redis, shared by all instances that use it.
///
/// What is registered, issued, redeemed, rotated or revoked is written to a replica too before it
/// is done, if Redis has one. If no replica takes it within 200 ms it may get lost, and the answer
/// is [`StoreError::Unavailable`]; it is safe to repeat the operation. Logins under way are not
/// waited for: a user can begin again.
///
/// The limits are those of all instances together. While several instances write at the same time
/// some more may be kept, and one that ended without finishing may have taken room for nothing; both
/// end with the life of the record.
pub struct RedisOAuth {
    redis: Redis,
    limits: Limits,
}

impl RedisOAuth {
    /// The state that is kept there, with the usual limits.
    pub fn new(redis: Redis) -> Self {
        Self::with_limits(redis, Limits::default())
    }

    /// The state that is kept there, and no more than this of it.
    pub fn with_limits(redis: Redis, limits: Limits) -> Self {
        Self { redis, limits }
    }

    /// Asks about `key`, or changes what need not outlive a failover.
    async fn ask<T: FromRedisValue>(&self, key: &str, command: &Cmd) -> Result<T, StoreError> {
        self.redis.hot.run(command).await.map_err(|error| about(key, error))
    }

    /// Changes `key` for good.
    async fn write<T: FromRedisValue>(&self, key: &str, command: &Cmd) -> Result<T, StoreError> {
        self.redis.durable.write(command).await.map_err(|error| about(key, error))
    }
}

impl fmt::Debug for RedisOAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOAuth").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A link does not know which key an answer is about.
fn about(key: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Corrupt { reason, .. } => unreadable(key.to_owned(), &reason),
        StoreError::Unavailable { .. } | StoreError::LimitReached { .. } => error,
    }
}

/// A life as Redis takes it.
fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[async_trait]
impl KeyStore for RedisOAuth {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn secret_keys(&self, fresh: &SecretKeys) -> Result<SecretKeys, StoreError> {
        noted("secret_keys");
        let mut keep = script::call(&script::SECRET_KEYS, keys::SECRET_KEYS);
        keep.arg(fresh.expose().as_str());
        let kept: String = self.write(keys::SECRET_KEYS, &keep).await?;
        SecretKeys::parse(&kept)
            .map_err(|error| unreadable(keys::SECRET_KEYS.to_owned(), &error.to_string()))
    }
}

#[async_trait]
impl Replays for RedisOAuth {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn remember_once(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
        life: Duration,
    ) -> Result<bool, StoreError> {
        noted("remember_once");
        replays::remember(self, name, attempt, life).await
    }
}

#[async_trait]
impl OAuthStore for RedisOAuth {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn put_client(
        &self,
        client: &ClientRecord,
        life: Duration,
        capacity: usize,
    ) -> Result<(), StoreError> {
        noted("put_client");
        clients::put(self, client, life, capacity).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn client(&self, id: &str) -> Result<Option<ClientRecord>, StoreError> {
        noted("client");
        clients::read(self, id).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn prolong_client(&self, id: &str, life: Duration) -> Result<bool, StoreError> {
        noted("prolong_client");
        clients::prolong(self, id, life).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn put_pending(
        &self,
        name: &SecretHash,
        body: &Sealed<PendingLogin>,
        life: Duration,
    ) -> Result<Option<Sealed<PendingLogin>>, StoreError> {
        noted("put_pending");
        pending::put(self, name, body, life).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn pending(&self, name: &SecretHash) -> Result<Option<Sealed<PendingLogin>>, StoreError> {
        noted("pending");
        pending::read(self, name).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn take_pending(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
    ) -> Result<bool, StoreError> {
        noted("take_pending");
        pending::take(self, name, attempt).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn create_grant(
        &self,
        id: &GrantId,
        grant: &GrantRecord,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("create_grant");
        grants::create(self, id, grant, life).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
        noted("grant");
        grants::read(self, id).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn grants_of(&self, user: &str, most: usize) -> Result<Vec<LiveGrant>, StoreError> {
        noted("grants_of");
        grants::of(self, user, most).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn prolong_grant(&self, id: &GrantId, life: Duration) -> Result<bool, StoreError> {
        noted("prolong_grant");
        grants::prolong(self, id, life).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn revoke_grant(&self, id: &GrantId) -> Result<bool, StoreError> {
        noted("revoke_grant");
        grants::revoke(self, id).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn put_code(
        &self,
        name: &SecretHash,
        body: &Sealed<CodeGrant>,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("put_code");
        codes::put(self, name, body, life).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn code(&self, name: &SecretHash) -> Result<Option<Code>, StoreError> {
        noted("code");
        codes::read(self, name).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn redeem_code(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
    ) -> Result<Redemption, StoreError> {
        noted("redeem_code");
        codes::redeem(self, name, attempt).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn put_access_token(
        &self,
        name: &SecretHash,
        body: &Sealed<IssuedToken>,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("put_access_token");
        tokens::put(self, name, body, life).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn access_token(
        &self,
        name: &SecretHash,
        grant: &GrantId,
    ) -> Result<Option<AccessToken>, StoreError> {
        noted("access_token");
        tokens::read(self, name, grant).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn revoke_access_token(&self, name: &SecretHash) -> Result<(), StoreError> {
        noted("revoke_access_token");
        tokens::revoke(self, name).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn put_refresh_family(
        &self,
        name: &SecretHash,
        body: &Sealed<RefreshFamily>,
        life: Duration,
    ) -> Result<(), StoreError> {
        noted("put_refresh_family");
        refresh::put(self, name, body, life).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn refresh_family(
        &self,
        name: &SecretHash,
    ) -> Result<Option<Sealed<RefreshFamily>>, StoreError> {
        noted("refresh_family");
        refresh::read(self, name).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn rotate_refresh(
        &self,
        name: &SecretHash,
        presented: u64,
        window: Duration,
        life: Duration,
    ) -> Result<Rotation, StoreError> {
        noted("rotate_refresh");
        refresh::rotate(self, name, presented, (window, life)).await
    }
}
