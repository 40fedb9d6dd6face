//! Everything in the process's own memory.
//!
//! For one instance, for tests, and as the reference for other stores. Times to live are real: an
//! expired record is gone when it is asked for, and [`MemoryStore::sweep`] takes away those that
//! nobody asks for, so memory stays bounded.

mod bus;
mod calls;
mod changes;
mod elicitations;
mod entry;
mod oauth;
mod rates;
mod reports;
mod sessions;
mod shelves;
mod streams;
mod tasks;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;

pub use bus::MemoryBus;
pub use oauth::MemoryOAuth;
pub(crate) use rates::Due;
pub use rates::MemoryRates;

use self::{changes::Changes, elicitations::KeptElicitation, entry::Entry, tasks::Kept};
use crate::{
    Clock, ElicitationId, InstanceId, Limits, Owner, Session, SessionId, StoreError, TaskId,
    Timestamp, User, alike::Alike,
};

/// Sessions in memory.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    limits: Limits,
    sessions: DashMap<SessionId, Entry>,
    alike: Mutex<Alike>,
    per_user: DashMap<User, usize>,
    changes: Mutex<Changes>,
    tasks: DashMap<TaskId, Kept>,
    shelves: DashMap<User, shelves::Kept>,
    elicitations: DashMap<ElicitationId, KeptElicitation>,
    reports: DashMap<InstanceId, reports::Said>,
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
            alike: Mutex::default(),
            per_user: DashMap::new(),
            changes: Mutex::default(),
            tasks: DashMap::new(),
            shelves: DashMap::new(),
            elicitations: DashMap::new(),
            reports: DashMap::new(),
            swept: AtomicU64::new(0),
        }
    }

    /// How many sessions there are.
    pub fn count(&self) -> usize {
        self.sessions.len()
    }

    /// Takes away what has expired and was not asked for since. Says how many sessions.
    pub fn sweep(&self) -> usize {
        let now = self.clock.now();
        self.swept.store(now.as_millis(), Ordering::Relaxed);
        self.tasks.retain(|_, kept| kept.expires > now);
        self.shelves.retain(|_, kept| kept.expires > now);
        self.elicitations.retain(|_, kept| kept.expires > now);
        let mut expired = Vec::new();
        for mut entry in self.sessions.iter_mut() {
            if entry.expires <= now {
                expired.push(*entry.key());
            } else {
                entry.forget_old(now, &self.limits);
            }
        }
        let count = expired.into_iter().filter(|id| self.expire(*id, now)).count();
        self.alike().forget();
        count
    }

    /// How many records there are, expired ones that were not swept included.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    fn share(&self, session: Session) -> Arc<Session> {
        self.alike().share(session)
    }

    fn alike(&self) -> MutexGuard<'_, Alike> {
        self.alike.lock().unwrap_or_else(PoisonError::into_inner)
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
        if let Some(Owner { user, client, .. }) = &expired {
            tracing::info!(event = "session.expired", session = %id, user_id = user,
                client_id = client, "a session expired");
        }
        expired.is_some()
    }

    /// Takes a session away, and says whose it was.
    fn remove_if(&self, id: SessionId, condition: impl FnOnce(&Entry) -> bool) -> Option<Owner> {
        let (_, entry) = self.sessions.remove_if(&id, |_, entry| condition(entry))?;
        let owner = entry.session.owner.clone();
        self.count_out(&owner);
        Some(owner)
    }

    /// Counts one session more for its user, if there is room.
    fn count_in(&self, owner: &Owner) -> Result<(), StoreError> {
        let Err(refused) = self.try_count_in(owner) else { return Ok(()) };
        // Sessions that have expired and that nobody asked for may stand in the way.
        let last = Timestamp::from_millis(self.swept.load(Ordering::Relaxed));
        if self.clock.now().since(last) < SWEEP_AT_MOST_EVERY {
            return Err(refused);
        }
        self.sweep();
        self.try_count_in(owner)
    }

    fn try_count_in(&self, owner: &Owner) -> Result<(), StoreError> {
        let Limits { sessions, sessions_per_user, .. } = self.limits;
        if self.sessions.len() >= sessions {
            return Err(StoreError::LimitReached { what: "sessions", limit: sessions });
        }
        let mut count = self.per_user.entry(User::from(owner)).or_insert(0);
        if *count >= sessions_per_user {
            let what = "sessions of one user";
            return Err(StoreError::LimitReached { what, limit: sessions_per_user });
        }
        *count += 1;
        Ok(())
    }

    fn count_out(&self, owner: &Owner) {
        let user = User::from(owner);
        if let Some(mut count) = self.per_user.get_mut(&user) {
            *count = count.saturating_sub(1);
        }
        self.per_user.remove_if(&user, |_, count| *count == 0);
    }
}
