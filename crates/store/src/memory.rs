//! Everything in the process's own memory.
//!
//! For one instance, for tests, and as the reference for other stores. Times to live are real: an
//! expired record is gone when it is asked for, and [`MemoryStore::sweep`] takes away those that
//! nobody asks for, so memory stays bounded.

mod bus;
mod calls;
mod entry;
mod oauth;
mod sessions;
mod streams;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;

pub use bus::MemoryBus;
pub use oauth::MemoryOAuth;

use self::entry::Entry;
use crate::{Clock, Owner, SessionId, StoreError, Timestamp};

/// Says in the log what is asked of a store.
fn noted(operation: &'static str) {
    tracing::debug!(event = "store.operation", operation, "store operation");
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a session lives after it was last used.
    pub session_ttl: Duration,
    /// Sessions one owner may have.
    pub sessions_per_owner: usize,
    /// Resources one session may subscribe to.
    pub subscriptions_per_session: usize,
    /// Opened calls of one session that may run at a time.
    pub calls_per_session: usize,
    /// Events of one log.
    pub log_events: usize,
    /// Bytes of one log.
    pub log_bytes: usize,
    /// How long a call's log stays after its end.
    pub log_retention: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            session_ttl: Duration::from_secs(300),
            sessions_per_owner: 10_000,
            subscriptions_per_session: 1_000,
            calls_per_session: 64,
            log_events: 4_096,
            log_bytes: 1 << 20,
            log_retention: Duration::from_secs(300),
        }
    }
}

/// Sessions in memory.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    limits: Limits,
    sessions: DashMap<SessionId, Entry>,
    per_owner: DashMap<Owner, usize>,
    swept: AtomicU64,
}

/// Sweeping looks at every session, so whoever is refused room does not set it off at will.
const SWEEP_AT_MOST_EVERY: Duration = Duration::from_secs(1);

impl MemoryStore {
    /// An empty store.
    pub fn new(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self {
            clock,
            limits,
            sessions: DashMap::new(),
            per_owner: DashMap::new(),
            swept: AtomicU64::new(0),
        }
    }

    /// Takes away what has expired and was not asked for since. Says how many sessions.
    pub fn sweep(&self) -> usize {
        let now = self.clock.now();
        self.swept.store(now.as_millis(), Ordering::Relaxed);
        let mut expired = Vec::new();
        for mut entry in self.sessions.iter_mut() {
            if entry.expires <= now {
                expired.push(*entry.key());
            } else {
                entry.forget_old(now, &self.limits);
            }
        }
        expired.into_iter().filter(|id| self.expire(*id, now)).count()
    }

    /// How many records there are, expired ones that were not swept included.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// What `f` makes of a session that lives; `None` for one that does not.
    fn with<T>(&self, id: SessionId, f: impl FnOnce(&mut Entry, Timestamp) -> T) -> Option<T> {
        let now = self.clock.now();
        {
            let mut entry = self.sessions.get_mut(&id)?;
            if entry.expires > now {
                return Some(f(&mut entry, now));
            }
        }
        self.expire(id, now);
        None
    }

    /// Takes a session away if its time is over. It may have been used since it was seen.
    fn expire(&self, id: SessionId, now: Timestamp) -> bool {
        let expired = self.remove_if(id, |entry| entry.expires <= now);
        if expired {
            tracing::info!(event = "session.expired", session = %id, "a session expired");
        }
        expired
    }

    fn remove_if(&self, id: SessionId, condition: impl FnOnce(&Entry) -> bool) -> bool {
        let Some((_, entry)) = self.sessions.remove_if(&id, |_, entry| condition(entry)) else {
            return false;
        };
        self.count_out(&entry.session.owner);
        true
    }

    /// Counts one session more for its owner, if there is room.
    fn count_in(&self, owner: &Owner) -> Result<(), StoreError> {
        if self.try_count_in(owner) {
            return Ok(());
        }
        // Sessions that have expired and that nobody asked for may stand in the way.
        let last = Timestamp::from_millis(self.swept.load(Ordering::Relaxed));
        if self.clock.now().since(last) >= SWEEP_AT_MOST_EVERY {
            self.sweep();
            if self.try_count_in(owner) {
                return Ok(());
            }
        }
        let limit = self.limits.sessions_per_owner;
        Err(StoreError::LimitReached { what: "sessions of one user", limit })
    }

    fn try_count_in(&self, owner: &Owner) -> bool {
        let mut count = self.per_owner.entry(owner.clone()).or_insert(0);
        let room = *count < self.limits.sessions_per_owner;
        *count += usize::from(room);
        room
    }

    fn count_out(&self, owner: &Owner) {
        if let Some(mut count) = self.per_owner.get_mut(owner) {
            *count = count.saturating_sub(1);
        }
        self.per_owner.remove_if(owner, |_, count| *count == 0);
    }
}
