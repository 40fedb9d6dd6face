//! The contract of sessions.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{
    SessionStore,
    contract::{
        redis_server::RedisServer,
        sessions::{LIMITS, SessionHarness},
    },
    redis::{Redis, RedisStore},
};

struct Harness {
    server: RedisServer,
    store: Arc<RedisStore>,
}

impl Harness {
    async fn new() -> Self {
        let server = RedisServer::start();
        let redis = Redis::connect(&server.url().parse().unwrap()).unwrap();
        redis.ping().await.unwrap();
        Self { server, store: Arc::new(RedisStore::new(redis, LIMITS)) }
    }
}

#[async_trait::async_trait]
impl SessionHarness for Harness {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::<RedisStore>::clone(&self.store)
    }

    async fn pass(&self, span: Duration) {
        self.server.age(span);
    }
}

mcp_everything_store::session_store_contract!(Harness::new());
