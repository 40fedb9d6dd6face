//! How much is kept.

use std::time::Duration;

use crate::StoreError;

/// How much a store keeps of sessions.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a session lives after it was last used.
    pub session_ttl: Duration,
    /// Sessions there may be in a store that keeps them in the process.
    pub sessions: usize,
    /// Sessions one user may have, by whatever clients.
    pub sessions_per_user: usize,
    /// Resources one session may subscribe to.
    pub subscriptions_per_session: usize,
    /// Opened calls of one session that may run at a time.
    pub calls_per_session: usize,
    /// Events of one log.
    pub log_events: usize,
    /// Bytes of one log, and of its last event.
    pub log_bytes: usize,
    /// Bytes of the logs of all calls of one session. The oldest logs of ended calls make room.
    pub session_log_bytes: usize,
    /// Changes of lists and resources that the log of changes keeps.
    pub changes: usize,
    /// How long a call's log stays after its end.
    pub log_retention: Duration,
    /// Tasks there may be in a store that keeps them in the process.
    pub tasks: usize,
    /// Tasks one user may have, by whatever clients, those that have ended and are kept included.
    pub tasks_per_user: usize,
    /// Shelves there may be in a store that keeps them in the process. The one nearest its end
    /// makes room.
    pub shelves: usize,
    /// Bytes of all of them together, in such a store.
    pub shelves_bytes: usize,
    /// Items of one shelf.
    pub shelf_items: usize,
    /// Bytes of one shelf: of its items and of their names.
    pub shelf_bytes: usize,
    /// How long a shelf lives after it was last looked at or changed.
    pub shelf_ttl: Duration,
    /// Elicitations in URL mode there may be in a store that keeps them in the process.
    pub elicitations: usize,
    /// Those that one user may have, by whatever clients, the settled ones included.
    pub elicitations_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            session_ttl: Duration::from_secs(300),
            sessions: 250_000,
            sessions_per_user: 10_000,
            subscriptions_per_session: 1_000,
            calls_per_session: 64,
            log_events: 4_096,
            log_bytes: 1 << 20,
            session_log_bytes: 4 << 20,
            changes: 10_000,
            log_retention: Duration::from_secs(300),
            tasks: 10_000,
            tasks_per_user: 200,
            shelves: 1_000,
            shelves_bytes: 64 << 20,
            shelf_items: 32,
            shelf_bytes: 1 << 20,
            shelf_ttl: Duration::from_secs(24 * 60 * 60),
            elicitations: 10_000,
            elicitations_per_user: 100,
        }
    }
}

impl Limits {
    /// Takes one event of the standalone stream, or what a task keeps of one kind, unless it is larger than the whole log may be.
    pub(crate) fn take_event(&self, data: &[u8]) -> Result<(), StoreError> {
        let limit = self.log_bytes;
        if data.len() > limit {
            return Err(StoreError::LimitReached { what: "bytes of a message", limit });
        }
        Ok(())
    }

    /// Takes an item for a shelf, unless it is larger than the whole shelf may be.
    pub(crate) fn take_item(&self, name: &str, data: &[u8]) -> Result<(), StoreError> {
        let limit = self.shelf_bytes;
        if name.len() + data.len() > limit {
            return Err(StoreError::LimitReached { what: "bytes of a shelf", limit });
        }
        Ok(())
    }
}
