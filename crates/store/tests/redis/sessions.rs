//! The contract of sessions.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{
    SessionStore,
    contract::{
        redis_cluster::RedisCluster,
        redis_server::RedisServer,
        sessions::{LIMITS, SessionHarness},
    },
    redis::RedisStore,
};

use crate::support::{Listening, Served, connect};

struct Harness<S> {
    server: S,
    store: Arc<RedisStore>,
}

impl<S: Served> Harness<S> {
    async fn on(server: S) -> Self {
        let store = Arc::new(RedisStore::new(connect(&server).await, LIMITS));
        Self { server, store }
    }
}

#[async_trait::async_trait]
impl<S: Served> SessionHarness for Harness<S> {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::<RedisStore>::clone(&self.store)
    }

    async fn pass(&self, span: Duration) {
        self.server.age(span);
    }
}

mcp_everything_store::session_store_contract!(Harness::on(RedisServer::start()));

mod while_bells_are_heard {
    use super::*;

    async fn cleared(on: &Listening) -> Harness<&Listening> {
        on.clear();
        Harness { server: on, store: Arc::new(RedisStore::new(on.redis.clone(), LIMITS)) }
    }

    mcp_everything_store::session_store_contract!(in a row: Listening::start().await, cleared);
}

mod on_a_cluster {
    use super::*;

    async fn cleared(cluster: &RedisCluster) -> Harness<&RedisCluster> {
        cluster.clear();
        Harness::on(cluster).await
    }

    mcp_everything_store::session_store_contract!(in a row: RedisCluster::start(), cleared);
}
