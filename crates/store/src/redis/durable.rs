//! Writes that must outlive the failover to a replica.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use redis::{Cmd, FromRedisValue, Value};

use super::link::{Link, away};
use crate::StoreError;

/// How long a replica may take, in milliseconds.
const WAIT_MS: u32 = 200;

/// What a master says of itself: the word, how far it is, and host, port and how far each replica is.
type Role = (String, Value, Vec<(String, String, String)>);

/// A link of their own: whoever waits for a replica holds up all that comes after on the same
/// connection.
#[derive(Clone)]
pub(super) struct Durable {
    link: Link,
    /// Whether there was a replica when this was last asked. In a cluster some masters may have
    /// one and others not; then some writes are sent twice and some wait in vain.
    replicated: Arc<AtomicBool>,
}

impl Durable {
    pub(super) fn new(link: Link) -> Self {
        Self { link, replicated: Arc::default() }
    }

    /// Writes, and is done when a replica has it, if there is one. It may write twice, and the last
    /// answer counts.
    ///
    /// An error means that the write may have happened and may get lost: it has to be repeated.
    pub(super) async fn write<T: FromRedisValue>(&self, write: &Cmd) -> Result<T, StoreError> {
        loop {
            let waits = self.replicated.load(Ordering::Relaxed);
            let mut pipeline = redis::pipe();
            pipeline.add_command(write.clone());
            // Nobody is waited for where 0 replicas are enough.
            pipeline.cmd("WAIT").arg(u8::from(waits)).arg(WAIT_MS);
            pipeline.cmd("ROLE");
            let (answer, having, role): (T, u64, Role) = self.link.pipe(&pipeline).await?;
            let (_, _, replicas) = role;
            // One that has not said yet how far it is has just come, and does not answer when asked.
            let replicated = replicas.iter().any(|(_, _, offset)| offset != "0");
            self.replicated.store(replicated, Ordering::Relaxed);
            if having > 0 || !replicated {
                return Ok(answer);
            }
            if waits {
                return Err(away("no replica has taken the write"));
            }
        }
    }
}
