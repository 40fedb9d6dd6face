//! The ways to deploy the server that clients sign in to.

use mcp_everything_store::contract::redis_server::RedisServer;

use crate::{
    haproxy::Haproxy,
    it::support::{Deployment, Server},
};

/// A server, and what it needs to run.
pub(crate) struct Deployed {
    pub(crate) server: Server,
    _balancer: Option<Haproxy>,
    _redis: Option<RedisServer>,
}

impl Deployed {
    /// One instance that is its own authorization server and keeps everything in memory.
    pub(crate) fn in_memory() -> Self {
        Self { server: Server::start(), _balancer: None, _redis: None }
    }

    /// Three of them that share a Redis, behind `HAProxy`.
    pub(crate) fn three_behind_haproxy() -> Self {
        let (redis, balancer) = (RedisServer::start(), Haproxy::start());
        let settings = [("REDIS_URL", &*redis.url())];
        let server = Server::behind(&balancer.base(), &balancer.instances, &settings);
        balancer.until_it_serves(0..3);
        Self { server, _balancer: Some(balancer), _redis: Some(redis) }
    }

    /// One instance that trusts an authorization server of its own.
    pub(crate) fn separate() -> Self {
        let server = Deployment::separate_in_memory().start();
        Self { server, _balancer: None, _redis: None }
    }
}
