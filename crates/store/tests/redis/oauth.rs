//! The contract of OAuth state, and what only a store that is shared has to do.

mod damage;
mod fixture;
mod limits;
mod outage;
mod page;
mod replica;
mod secrets;
mod shared;

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{
    KeyStore,
    contract::{
        oauth::{Damage, OAuthHarness},
        redis_cluster::RedisCluster,
        redis_server::RedisServer,
    },
    oauth::{Limits, OAuthStore},
    redis::{RedisOAuth, keys::oauth as keys},
};

use crate::support::{Listening, Served, connect};

struct Harness<S = RedisServer> {
    server: S,
    store: Arc<RedisOAuth>,
}

impl Harness {
    async fn new() -> Self {
        Self::with_limits(Limits::default()).await
    }

    async fn with_limits(limits: Limits) -> Self {
        Self::on(RedisServer::start(), limits).await
    }
}

impl<S: Served> Harness<S> {
    async fn on(server: S, limits: Limits) -> Self {
        let store = Arc::new(RedisOAuth::with_limits(connect(&server).await, limits));
        Self { server, store }
    }
}

#[async_trait::async_trait]
impl<S: Served> OAuthHarness for Harness<S> {
    fn store(&self) -> Arc<dyn OAuthStore> {
        Arc::<RedisOAuth>::clone(&self.store)
    }

    fn keys(&self) -> Arc<dyn KeyStore> {
        Arc::<RedisOAuth>::clone(&self.store)
    }

    async fn pass(&self, span: Duration) {
        self.server.age(span);
    }

    async fn damage(&self, record: Damage<'_>) {
        const GARBAGE: &str = r#"{"v":1,"record":{"nonsense":[]}} and more of it"#;
        let key = match record {
            Damage::Grant(id) => {
                self.server.ask(&["HSET", &keys::grant(id), "created_at", GARBAGE]).unwrap();
                return;
            }
            Damage::Client(id) => keys::client(id),
            Damage::Pending(name) => keys::pending(name),
            Damage::Code(name) => keys::code(name),
            Damage::AccessToken(name) => keys::access_token(name),
            Damage::RefreshFamily(name) => keys::refresh_family(name),
            Damage::Document(kind, url) => keys::document(kind, url),
        };
        self.server.ask(&["SET", &key, GARBAGE, "XX", "KEEPTTL"]).unwrap();
    }
}

mcp_everything_store::oauth_store_contract!(Harness::new());

mod while_bells_are_heard {
    use super::*;

    async fn cleared(on: &Listening) -> Harness<&Listening> {
        on.clear();
        Harness { server: on, store: Arc::new(RedisOAuth::new(on.redis.clone())) }
    }

    mcp_everything_store::oauth_store_contract!(in a row: Listening::start().await, cleared);
}

mod on_a_cluster {
    use super::*;

    async fn cleared(cluster: &RedisCluster) -> Harness<&RedisCluster> {
        cluster.clear();
        Harness::on(cluster, Limits::default()).await
    }

    mcp_everything_store::oauth_store_contract!(in a row: RedisCluster::start(), cleared);
}
