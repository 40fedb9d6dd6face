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
        redis_server::RedisServer,
    },
    oauth::{Limits, OAuthStore},
    redis::{Redis, RedisOAuth, keys::oauth as keys},
};

struct Harness {
    server: RedisServer,
    store: Arc<RedisOAuth>,
}

impl Harness {
    async fn new() -> Self {
        Self::with_limits(Limits::default()).await
    }

    async fn with_limits(limits: Limits) -> Self {
        let server = RedisServer::start();
        let store = Arc::new(RedisOAuth::with_limits(connect(&server).await, limits));
        Self { server, store }
    }
}

async fn connect(server: &RedisServer) -> Redis {
    let redis = Redis::connect(&server.url().parse().unwrap()).unwrap();
    redis.ping().await.unwrap();
    redis
}

#[async_trait::async_trait]
impl OAuthHarness for Harness {
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
        };
        self.server.ask(&["SET", &key, GARBAGE, "XX", "KEEPTTL"]).unwrap();
    }
}

mcp_everything_store::oauth_store_contract!(Harness::new());
