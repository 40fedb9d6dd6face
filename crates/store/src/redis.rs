//! A store and a bus that instances share, in Redis or what speaks its protocol.
//!
//! Every key, its life and every channel is in [`keys`]. Operations are Lua scripts, atomic and
//! bound to one hash slot, so that they work in a cluster; each may run twice. Times are Redis's.
//! An instance has a small constant number of connections, whatever it serves.

mod address;
mod bus;
mod calls;
mod changes;
mod connect;
mod connection;
mod durable;
mod each;
mod elicitations;
pub mod keys;
mod link;
mod notices;
mod oauth;
mod observe;
mod rates;
mod reach;
mod recent;
mod record;
mod reports;
mod room;
mod script;
mod sessions;
mod shelves;
mod streams;
mod tasks;

pub use address::{InvalidAddress, RedisAddress};
pub use bus::RedisBus;
pub use oauth::RedisOAuth;
pub use observe::{Answer, LinkName, Observer};
pub use rates::RedisRates;
pub use reach::Unreachable;

use std::sync::Arc;

use redis::Script;

use self::{
    connect::Source, durable::Durable, link::Link, notices::Notices, recent::Recent,
    record::Records,
};
use crate::{Limits, SessionId, StoreError, Written};

/// By how many seconds what belongs to a session outlives it.
const SLACK: u64 = 30;

/// The connections of one instance to Redis.
#[derive(Clone)]
pub struct Redis {
    /// For what requests wait for, small and quick.
    hot: Link,
    /// For logs and answers, which may be large.
    bulk: Link,
    /// For what must outlive a failover.
    durable: Durable,
    source: Arc<Source>,
    /// What was found good just now.
    recent: Arc<Recent>,
    /// What this process says has ended.
    notices: Arc<Notices>,
    observer: Arc<dyn Observer>,
}

impl Redis {
    /// Begins to connect. What is asked meanwhile waits a moment for the connection. `observer` is
    /// told of all that passes; `Arc::new(())` where nobody is.
    ///
    /// Fails if the address cannot be used at all, say for a certificate that cannot be read.
    pub fn connect(
        address: &RedisAddress,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, InvalidAddress> {
        let source = Arc::new(Source::new(address)?);
        let link = |name| Link::start(name, Arc::clone(&source), Arc::clone(&observer));
        let (hot, bulk) = (link(LinkName::Hot), link(LinkName::Bulk));
        let durable = Durable::new(link(LinkName::Durable));
        let (recent, notices) = (Arc::default(), Arc::default());
        Ok(Self { hot, bulk, durable, source, recent, notices, observer })
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.hot.run::<()>(&redis::cmd("PING")).await
    }
}

/// Sessions in Redis.
pub struct RedisStore {
    redis: Redis,
    limits: Limits,
    records: Records,
}

impl RedisStore {
    /// The sessions that are kept there.
    pub fn new(redis: Redis, limits: Limits) -> Self {
        Self { redis, limits, records: Records::default() }
    }

    /// How long a session lives, in seconds.
    fn ttl(&self) -> u64 {
        self.limits.session_ttl.as_secs().max(1)
    }

    /// A write that says whether there was a session to write to.
    async fn write(
        &self,
        script: &Script,
        id: SessionId,
        argument: &str,
    ) -> Result<Written, StoreError> {
        let mut write = script::call(script, &keys::owner(id));
        write.arg(argument);
        Ok(Written::if_lives(self.redis.hot.run(&write).await?))
    }
}

fn unreadable(key: String, reason: &str) -> StoreError {
    StoreError::Corrupt { key, reason: reason.chars().take(200).collect() }
}
