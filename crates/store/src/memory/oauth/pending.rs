//! Logins under way.

use std::time::Duration;

use super::expiring::Expiring;
use crate::{
    Timestamp,
    oauth::{AttemptId, Limits, PendingLogin, Sealed, SecretHash},
};

type Body = Sealed<PendingLogin>;

/// Logins under way, and how much they hold.
#[derive(Default)]
pub(super) struct Pending {
    kept: Expiring<SecretHash, Login>,
    bytes: usize,
}

struct Login {
    body: Body,
    taken: Option<AttemptId>,
}

impl Login {
    fn if_open(&self) -> Option<Body> {
        self.taken.is_none().then(|| self.body.clone())
    }
}

impl Pending {
    /// The login, if it lives and was not taken.
    pub(super) fn open(&mut self, name: &SecretHash, now: Timestamp) -> Option<Body> {
        self.kept.live(name, now)?.value.if_open()
    }

    /// Adds a login, for which the oldest ones make room, and gives it; one that lives stays as it
    /// is, and is given if it was not taken.
    pub(super) fn put(
        &mut self,
        name: &SecretHash,
        body: &Body,
        now: Timestamp,
        life: Duration,
        limits: &Limits,
    ) -> Option<Body> {
        if let Some(entry) = self.kept.live(name, now) {
            return entry.value.if_open();
        }
        self.sweep(now);
        let size = body.as_bytes().len();
        while self.kept.len() >= limits.pending || self.bytes + size > limits.pending_bytes {
            // All live as long, so the first to end is the oldest. A single one is never too many.
            let Some(oldest) = self.kept.pop_first() else { break };
            self.bytes -= oldest.value.body.as_bytes().len();
        }
        self.bytes += size;
        self.kept.insert(*name, Login { body: body.clone(), taken: None }, now + life);
        Some(body.clone())
    }

    /// Whether this attempt gets the login.
    pub(super) fn take(&mut self, name: &SecretHash, attempt: &AttemptId, now: Timestamp) -> bool {
        let Some(entry) = self.kept.live(name, now) else { return false };
        entry.value.taken.get_or_insert(*attempt) == attempt
    }

    /// Removes what has ended.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        while let Some(ended) = self.kept.pop_ended(now) {
            self.bytes -= ended.value.body.as_bytes().len();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    #[cfg(test)]
    pub(super) fn damage(&mut self, name: &SecretHash, now: Timestamp, garbage: &[u8]) {
        let body = &mut self.kept.live(name, now).unwrap().value.body;
        self.bytes = self.bytes - body.as_bytes().len() + garbage.len();
        *body = Sealed::from_bytes(garbage);
    }
}
